/** Space between a control and what opens beside it, and between that and the edge of the window. */
const gap = 8;

type Box = Pick<DOMRect, 'top' | 'bottom' | 'left' | 'right' | 'width'>;
type Extent = { readonly width: number; readonly height: number };

/** Where something of this extent goes beside a control: below if there is room, else above, and inside the window. */
export const placeFor = (
  control: Box,
  extent: Extent,
  window: Extent,
  align: 'center' | 'end',
): { left: number; top: number } => {
  const wanted = align === 'center' ? control.left + (control.width - extent.width) / 2 : control.right - extent.width;
  const left = Math.max(gap, Math.min(wanted, window.width - extent.width - gap));
  const below = control.bottom + gap;
  const above = control.top - gap - extent.height;
  const fitsBelow = below + extent.height + gap <= window.height;
  return {
    left,
    top: fitsBelow || above < gap ? Math.max(gap, Math.min(below, window.height - extent.height - gap)) : above,
  };
};

export const placeBeside = (element: HTMLElement, control: Box, align: 'center' | 'end' = 'center'): void => {
  const { left, top } = placeFor(
    control,
    { width: element.offsetWidth, height: element.offsetHeight },
    { width: globalThis.innerWidth, height: globalThis.innerHeight },
    align,
  );
  element.style.left = `${left}px`;
  element.style.top = `${top}px`;
};
