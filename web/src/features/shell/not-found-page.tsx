import { useMessages } from '../../i18n/index.ts';
import { LinkButton } from '../../ui/button.tsx';
import { SearchIcon } from '../../ui/icons.tsx';
import { EmptyState } from '../../ui/states.tsx';
import { PageBar, useTitle } from './page-parts.tsx';

export const NotFoundPage = () => {
  const messages = useMessages();
  useTitle(messages.notFound.title);
  return (
    <>
      <PageBar />
      <main id="content" class="page" tabIndex={-1}>
        <EmptyState level={1} icon={SearchIcon} title={messages.notFound.title} text={messages.notFound.text}>
          <LinkButton variant="primary" href="/">
            {messages.goHome}
          </LinkButton>
        </EmptyState>
      </main>
    </>
  );
};
