import { useCallback, useState } from 'preact/hooks';
import type { CallSnapshot } from '../../client/call-types.ts';
import { useLanguage } from '../../i18n/index.ts';
import { followVoice } from '../../state/random/voice.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Ring } from '../../ui/ring.tsx';
import { useTalk, useTalkWords } from './talk-context.ts';
import { Video } from './video.tsx';
import './call-stage.css';

type CallProps = { readonly call: CallSnapshot };

/** The other one, lit while they speak; oneself small, as in a mirror. */
export const CallStage = ({ call }: CallProps) => {
  const { calls } = useTalk();
  const words = useTalkWords().call;
  const [moving, setMoving] = useState(false);
  const picture = call.mode === 'video' ? (calls.value?.remoteStream ?? null) : null;
  const seen = picture !== null && moving && !call.audioOnly;
  return (
    <div class={`callstage${call.mode === 'video' ? ' callstage--own' : ''}${seen ? ' callstage--video' : ''}`}>
      {picture !== null && (
        <Video
          class={seen ? 'callstage__video' : 'callstage__video callstage__video--dark'}
          stream={picture}
          name={words.theirPicture(call.partner.displayName)}
          onMoving={setMoving}
        />
      )}
      {!seen && <Face call={call} />}
      {call.mode === 'video' && <Own call={call} />}
    </div>
  );
};

const Face = ({ call }: CallProps) => {
  const { calls, still } = useTalk();
  const { formats } = useLanguage();
  const words = useTalkWords().call;
  const { partner, phase, languages } = call;
  const follow = useCallback(
    (draw: (level: number, speaking: boolean) => void) =>
      followVoice({ levelOf: () => calls.peek()?.levelOf('partner') ?? 0, still }, draw),
    [calls, still],
  );
  return (
    <div class={phase === 'connected' ? 'callstage__face' : 'callstage__face callstage__face--away'}>
      <span class="callstage__light">
        {phase === 'connecting' && <span class="pulse__light" />}
        {phase === 'connected' && <Ring follow={follow} />}
        <Avatar userId={partner.id} name={partner.displayName} size="call" />
      </span>
      <p class="callstage__name">{partner.displayName}</p>
      <p class="callstage__note">{languages.length > 0 ? words.both(languages.map(formats.language)) : ''}</p>
    </div>
  );
};

/** What one sends: one's own picture, or why there is none. */
const Own = ({ call }: CallProps) => {
  const { preview } = useTalk();
  const words = useTalkWords().call;
  const state = preview.value;
  const { video } = call;
  if (video.state === 'off' || state.state !== 'ready' || state.camera === null) {
    const why = video.state === 'off' && video.why === 'path' ? words.noPath : words.cameraOffNow;
    return <p class="callstage__own callstage__own--off">{why}</p>;
  }
  return <Video class="callstage__own" stream={state.stream} name={words.yourPicture} mirrored />;
};
