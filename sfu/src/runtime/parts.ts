import type { Logger } from './logger.ts';

export type Closing = { readonly name: string; readonly close: () => Promise<unknown> | unknown };

/** Closes in the reverse order of opening. One that fails does not keep the others open. */
export const closeAll = async (parts: Closing[], logger: Logger): Promise<void> => {
  for (const { name, close } of parts.splice(0).reverse()) {
    try {
      await close();
    } catch (error) {
      logger.error({ err: error, part: name }, 'a part could not be closed');
    }
  }
};

export type Opened = <Part>(name: string, part: Part, close: (part: Part) => unknown) => Part;
