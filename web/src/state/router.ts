import { type ReadonlySignal, signal } from '@preact/signals';

/** The pages that there are, by their addresses. */
export type Route =
  | { readonly page: 'home' }
  | { readonly page: 'new' }
  | { readonly page: 'talk' }
  | { readonly page: 'room'; readonly roomId: string }
  | { readonly page: 'claim'; readonly code: string }
  | { readonly page: 'not-found' };

/** Ids and codes are 22 characters of base64url (SE-7); an address with anything else leads nowhere. */
const id = '([\\w-]{22})';
const roomPath = new RegExp(`^/rooms/${id}/?$`);
const claimPath = new RegExp(`^/claim/${id}/?$`);

export const parseRoute = (path: string): Route => {
  if (path === '/' || path === '') return { page: 'home' };
  if (path === '/new' || path === '/new/') return { page: 'new' };
  if (path === '/talk' || path === '/talk/') return { page: 'talk' };
  const roomId = roomPath.exec(path)?.[1];
  if (roomId !== undefined) return { page: 'room', roomId };
  const code = claimPath.exec(path)?.[1];
  if (code !== undefined) return { page: 'claim', code };
  return { page: 'not-found' };
};

export const pathOf = (route: Route): string => {
  switch (route.page) {
    case 'room':
      return `/rooms/${route.roomId}`;
    case 'claim':
      return `/claim/${route.code}`;
    case 'new':
      return '/new';
    case 'talk':
      return '/talk';
    case 'home':
    case 'not-found':
      return '/';
    default:
      return route satisfies never;
  }
};

export type Router = {
  readonly route: ReadonlySignal<Route>;
  /** Whether another page than the first one is shown: the first keeps the focus where the browser puts it. */
  moved(): boolean;
  go(route: Route, options?: { replace?: boolean }): void;
  dispose(): void;
};

/** Follows the browser's history, and links inside the page without loading it again. */
export const createRouter = (window: Window): Router => {
  const route = signal(parseRoute(window.location.pathname));
  let moves = 0;
  const show = (path: string) => {
    moves += 1;
    route.value = parseRoute(path);
  };
  const onBack = () => show(window.location.pathname);
  const onClick = (event: MouseEvent) => {
    const path = followedPath(event, window.location);
    if (path === undefined) return;
    event.preventDefault();
    if (path !== window.location.pathname) window.history.pushState(null, '', path);
    show(path);
    window.scrollTo(0, 0);
  };
  window.addEventListener('popstate', onBack);
  window.document.addEventListener('click', onClick);
  return {
    route,
    moved: () => moves > 0,
    go: (next, { replace = false } = {}) => {
      const path = pathOf(next);
      if (replace) window.history.replaceState(null, '', path);
      else window.history.pushState(null, '', path);
      show(path);
      window.scrollTo(0, 0);
    },
    dispose: () => {
      window.removeEventListener('popstate', onBack);
      window.document.removeEventListener('click', onClick);
    },
  };
};

/** The path of a link that a plain click follows inside this page; a click that asks for a new tab is the browser's. */
const followedPath = (event: MouseEvent, here: Location): string | undefined => {
  const modified = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  if (event.defaultPrevented || event.button !== 0 || modified) return undefined;
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (link === null || link.origin !== here.origin || link.target !== '' || link.hasAttribute('download'))
    return undefined;
  if (link.hash !== '' && link.pathname === here.pathname) return undefined;
  return link.pathname;
};
