import { useComputed } from '@preact/signals';
import { useLanguage } from '../../i18n/index.ts';
import { StageFace } from './face.tsx';
import { useRoom } from './room-context.ts';
import './stage.css';

/** Who speaks: the lit part of the room. Whoever leaves leaves a free place, so that no other face moves. */
export const Stage = () => {
  const room = useRoom();
  const { messages, formats } = useLanguage();
  const words = messages.room;
  const places = room.stage.value;
  const count = useComputed(() => room.view.value.stage.length).value;
  const { maxSpeakers } = room.info.value;
  return (
    <section class="stage" aria-labelledby="stage-title">
      <div class="section__head">
        <h2 id="stage-title" class="section__title">
          {words.stage}
        </h2>
        <span class="section__count">{words.stageCount(Math.max(0, count), maxSpeakers)}</span>
      </div>
      {places.length === 0 && <p class="stage__empty">{words.stageEmpty}</p>}
      <ul class="stage__faces" lang={formats.locale}>
        {places.map((userId, place) =>
          userId === null ? <FreePlace key={`free-${place}`} /> : <StageFace key={userId} userId={userId} />,
        )}
      </ul>
    </section>
  );
};

const FreePlace = () => (
  <li class="face face--free" aria-hidden="true">
    <span class="face__seat" />
  </li>
);
