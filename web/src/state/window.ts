/** What part of a long grid is drawn: rows, and the space that the others would take. */
export type GridWindow = {
  readonly from: number;
  readonly to: number;
  readonly before: number;
  readonly after: number;
};

type GridShape = {
  readonly count: number;
  readonly columns: number;
  readonly rowHeight: number;
  /** How far the top of the grid is above the top of what can be seen; negative when it is below. */
  readonly scrolled: number;
  readonly viewport: number;
};

/** Lists of more than this are virtual (ui: Always). */
export const virtualAbove = 60;
/** Rows drawn beyond what can be seen, so that scrolling and tabbing find something. */
const spareRows = 3;

/** The entries from `from` up to `to` are drawn; `before` and `after` are the heights of what is not. */
export const gridWindow = ({ count, columns, rowHeight, scrolled, viewport }: GridShape): GridWindow => {
  if (count <= virtualAbove || columns < 1 || rowHeight <= 0) return { from: 0, to: count, before: 0, after: 0 };
  const rows = Math.ceil(count / columns);
  const first = Math.min(rows, Math.max(0, Math.floor(scrolled / rowHeight) - spareRows));
  const last = Math.min(rows, Math.max(first, Math.ceil((scrolled + viewport) / rowHeight) + spareRows));
  return {
    from: first * columns,
    to: Math.min(count, last * columns),
    before: first * rowHeight,
    after: (rows - last) * rowHeight,
  };
};
