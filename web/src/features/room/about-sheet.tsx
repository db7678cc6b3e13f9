import { useLanguage } from '../../i18n/index.ts';
import { Tag } from '../../ui/chip.tsx';
import { Sheet } from '../../ui/sheet.tsx';
import { useRoom } from './room-context.ts';

/** What the room is about. */
export const AboutSheet = ({ onClose }: { readonly onClose: () => void }) => {
  const room = useRoom();
  const { messages, formats } = useLanguage();
  const { title, description, category, language, tags, startedAt } = room.info.value;
  return (
    <Sheet title={messages.room.about} onClose={onClose}>
      <h3 class="about__title" lang={language}>
        {title}
      </h3>
      {description !== '' && (
        <p class="about__text" lang={language}>
          {description}
        </p>
      )}
      <p class="about__tags">
        <Tag>{messages.home.categories[category]}</Tag>
        <Tag>{formats.language(language)}</Tag>
        {tags.map((tag) => (
          <Tag key={tag}>#{tag}</Tag>
        ))}
      </p>
      {startedAt !== null && (
        <p class="about__since">
          {messages.home.sinceLabel(Math.max(0, room.clock.everyHalfMinute.value - startedAt))}
        </p>
      )}
    </Sheet>
  );
};
