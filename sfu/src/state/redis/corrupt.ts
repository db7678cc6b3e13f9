/**
 * Thrown where Redis holds something that no version of this store wrote: a foreign value under one of our keys, or a value that
 * was cut or changed by hand. It says which one, and nothing of what is in it.
 */
export class CorruptState extends Error {
  override readonly name = 'CorruptState';
}

/** @throws CorruptState */
export const corrupt = (where: string, why: string, cause?: unknown): never => {
  throw new CorruptState(`${where} ${why}`, { cause });
};
