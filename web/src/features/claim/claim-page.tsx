import { useMessages } from '../../i18n/index.ts';
import { useApp } from '../../state/app.ts';
import { describeFailure } from '../../state/failures.ts';
import { PageBar, PageTitle, useTitle } from '../shell/page-parts.tsx';
import { NameForm } from '../shell/sign-in.tsx';

/** OP-7: the one-time link for the first administrator leads here. */
export const ClaimPage = ({ code }: { readonly code: string }) => {
  const { auth, router, notices } = useApp();
  const messages = useMessages();
  const words = messages.claim;
  useTitle(words.title);
  const claim = async (name: string) => {
    try {
      await auth.claim(code, name);
    } catch (error) {
      const { code: refusal } = describeFailure(error, messages);
      if (refusal !== 'not_found' && refusal !== 'forbidden') throw error;
      notices.show({ text: words.refused, tone: 'bad' });
      return;
    }
    notices.show({ text: words.done(name), tone: 'neutral' });
    router.go({ page: 'home' }, { replace: true });
  };
  return (
    <>
      <PageBar />
      <main id="content" class="page page--narrow" tabIndex={-1}>
        <PageTitle>{words.title}</PageTitle>
        <p class="page__intro">{words.intro}</p>
        <div class="form">
          <NameForm label={words.name} submit={words.submit} onName={claim} />
        </div>
      </main>
    </>
  );
};
