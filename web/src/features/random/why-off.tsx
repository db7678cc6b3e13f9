import { useLanguage } from '../../i18n/index.ts';
import { useTalk, useTalkWords } from './talk-context.ts';

/** RQ-8: what the operator says of it, and until when. */
export const WhyOff = () => {
  const { service } = useTalk();
  const { formats } = useLanguage();
  const words = useTalkWords().unavailable;
  const { reason = null, until = null } = service.value ?? {};
  return (
    <>
      {reason !== null && reason !== '' && <p>{words.reason(reason)}</p>}
      <p>{until === null ? words.later : words.until(formats.clock(until))}</p>
    </>
  );
};
