import { hueOf, initialsOf } from '../state/words.ts';
import './avatar.css';

type AvatarProps = {
  readonly userId: string;
  readonly name: string;
  readonly size: 'call' | 'stage' | 'house' | 'card';
};

/** A face of initials in the person's own calm hue. The name stands beside it, so the picture itself is silent. */
export const Avatar = ({ userId, name, size }: AvatarProps) => (
  <span class={`avatar avatar--${size}`} style={{ '--hue': String(hueOf(userId)) }} aria-hidden="true">
    {initialsOf(name)}
  </span>
);
