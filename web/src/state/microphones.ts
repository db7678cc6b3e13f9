import type { AudioDevice, MicrophoneTest } from '../client/index.ts';

/** The microphones of this browser, as the pages use them; loaded with the rest of the SDK when they are first needed. */
export type Microphones = {
  list(): Promise<readonly AudioDevice[]>;
  /** Calls back when a device comes or goes, until the returned function is called. */
  onChanged(changed: () => void): () => void;
  createTest(): MicrophoneTest;
};
