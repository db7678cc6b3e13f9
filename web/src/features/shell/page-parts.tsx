import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { useMessages } from '../../i18n/index.ts';
import { useApp } from '../../state/app.ts';
import type { Failure } from '../../state/failures.ts';
import { Button, LinkButton } from '../../ui/button.tsx';
import { WarnIcon } from '../../ui/icons.tsx';
import { AccountMenu } from './account-menu.tsx';

/** The title of the document while a page is shown. */
export const useTitle = (title: string | undefined): void => {
  const messages = useMessages();
  useEffect(() => {
    document.title = title === undefined ? messages.appName : messages.pageTitle(title);
  }, [title, messages]);
};

/** The heading of a page. After a change of page it takes the focus, so that it is read and the keyboard goes on from there. */
export const PageTitle = ({ children }: { readonly children: ComponentChildren }) => {
  const { router } = useApp();
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => {
    if (router.moved()) heading.current?.focus({ preventScroll: true });
  }, [router]);
  return (
    <h1 ref={heading} class="page__title" tabIndex={-1}>
      {children}
    </h1>
  );
};

const Brand = () => {
  const messages = useMessages();
  return (
    <a class="brand" href="/">
      <svg class="brand__mark" viewBox="0 0 28 28" aria-hidden="true">
        <circle class="brand__light" cx="14" cy="9.5" r="6" />
        <path
          class="brand__stand"
          d="M3.5 17.5a14.5 14.5 0 0 0 21 0M8.5 24.5h11"
          stroke-width="2.4"
          stroke-linecap="round"
        />
      </svg>
      {messages.appName}
    </a>
  );
};

/** The bar above every page but the room, which has its own. */
export const PageBar = () => (
  <header class="bar">
    <Brand />
    <AccountMenu />
  </header>
);

/** The way out of a failure, as a control. */
export const RemedyButton = ({
  failure,
  retry,
}: {
  readonly failure: Pick<Failure, 'remedy'>;
  readonly retry?: () => void;
}) => {
  const messages = useMessages();
  switch (failure.remedy) {
    case 'retry':
    case 'sign-in':
      return retry === undefined ? null : (
        <Button variant="primary" onClick={retry}>
          {messages.retry}
        </Button>
      );
    case 'reload':
      return (
        <Button variant="primary" onClick={() => location.reload()}>
          {messages.reload}
        </Button>
      );
    case 'home':
      return (
        <LinkButton variant="primary" href="/">
          {messages.goHome}
        </LinkButton>
      );
    case 'none':
      return null;
    default:
      return failure.remedy satisfies never;
  }
};

/** What went wrong with a whole form. */
export const FormFailure = ({ text }: { readonly text: string | undefined }) =>
  text === undefined ? null : (
    <p class="form__failure" role="alert">
      <WarnIcon />
      {text}
    </p>
  );
