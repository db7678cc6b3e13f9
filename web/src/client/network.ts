/** The part of the Network Information API that browsers of phones have; TypeScript's library has no types for it. */
type NetworkInformation = EventTarget & { readonly type?: string };

const networkInformation = (): NetworkInformation | undefined => {
  if (typeof navigator === 'undefined' || !('connection' in navigator)) return undefined;
  return navigator.connection instanceof EventTarget ? (navigator.connection as NetworkInformation) : undefined;
};

/**
 * Calls `changed` when this machine came back to a network, or moved to another kind of network (Wi-Fi to mobile), until
 * the returned function is called. Desktop browsers fire `change` for every new estimate of the bandwidth, so only a
 * change of `type` counts. Where there is no such event (Node) it never calls.
 */
export const watchNetwork = (changed: () => void): (() => void) => {
  if (typeof addEventListener !== 'function') return () => undefined;
  const information = networkInformation();
  let type = information?.type;
  const compare = (): void => {
    if (information === undefined || information.type === type) return;
    type = information.type;
    if (type !== 'none') changed();
  };
  addEventListener('online', changed);
  information?.addEventListener('change', compare);
  return () => {
    removeEventListener('online', changed);
    information?.removeEventListener('change', compare);
  };
};
