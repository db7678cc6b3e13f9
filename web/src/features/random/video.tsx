import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

type VideoProps = {
  readonly class: string;
  readonly stream: MediaStream;
  /** What is to be seen, for those who do not see it. */
  readonly name: string;
  /** One's own picture is shown as in a mirror. */
  readonly mirrored?: boolean;
  /** Whether new pictures come; told whenever that changes. */
  readonly onMoving?: (moving: boolean) => void;
};

/** How often it is looked whether there are new pictures, and after how long without any it stands still. */
const lookMs = 500;
const stillMs = 3000;

/** A moving picture without sound: a voice is played by the calls themselves. */
export const Video = ({ class: look, stream, name, mirrored = false, onMoving }: VideoProps) => {
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const video = element.current;
    return video === null || onMoving === undefined ? undefined : followPictures(video, onMoving);
  }, [onMoving]);
  useLayoutEffect(() => {
    const video = element.current;
    if (video === null) return undefined;
    video.srcObject = stream;
    return () => {
      video.srcObject = null;
    };
  }, [stream]);
  return (
    <video
      ref={element}
      class={mirrored ? `${look} video--mirrored` : look}
      aria-label={name}
      autoplay
      playsInline
      muted
    />
  );
};

/** A track does not say that its sender stopped: only the pictures do, which come no more. */
const followPictures = (video: HTMLVideoElement, onMoving: (moving: boolean) => void): (() => void) => {
  let seen = 0;
  let seenAt = Number.NEGATIVE_INFINITY;
  let moving = false;
  const timer = setInterval(() => {
    const { totalVideoFrames } = video.getVideoPlaybackQuality();
    if (totalVideoFrames !== seen) seenAt = performance.now();
    seen = totalVideoFrames;
    const now = performance.now() - seenAt < stillMs;
    if (now !== moving) onMoving(now);
    moving = now;
  }, lookMs);
  return () => clearInterval(timer);
};
