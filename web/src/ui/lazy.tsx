import { type ComponentType, createElement } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { type Language, useLanguage, useMessages } from '../i18n/index.ts';
import { Button } from './button.tsx';
import { EmptyState, Loading, Skeleton } from './states.tsx';

/**
 * A component that is loaded when it is first needed, with the words that only it has, so that whoever only listens does
 * not load it (WB-7). A load that failed (a new version was put in place, or the network is away) can be tried again.
 */
export const lazily = <Props extends object>(
  load: (language: Language) => Promise<ComponentType<Props>>,
): ComponentType<Props> => {
  let loaded: ComponentType<Props> | undefined;
  return (props: Props) => {
    const language = useLanguage();
    const [Part, setPart] = useState<{ readonly is: ComponentType<Props> } | 'loading' | 'failed'>(
      loaded ? { is: loaded } : 'loading',
    );
    useEffect(() => {
      if (Part !== 'loading') return undefined;
      let wanted = true;
      const take = (component: ComponentType<Props>) => {
        loaded = component;
        if (wanted) setPart({ is: component });
      };
      load(language).then(take, () => wanted && setPart('failed'));
      return () => {
        wanted = false;
      };
    }, [Part, language]);
    if (Part === 'failed') return <LoadFailed retry={() => setPart('loading')} />;
    if (Part !== 'loading') return createElement(Part.is, props);
    return (
      <Loading>
        <Skeleton width="100%" height="var(--touch-large)" />
      </Loading>
    );
  };
};

const LoadFailed = ({ retry }: { readonly retry: () => void }) => {
  const messages = useMessages();
  return (
    <EmptyState title={messages.failures.codes.network}>
      <Button variant="primary" onClick={retry}>
        {messages.retry}
      </Button>
    </EmptyState>
  );
};
