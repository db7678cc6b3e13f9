import { emptyGate, followVoices, type Gate, type GateRule, nextGate } from './gating.ts';

/**
 * The stage gate of a room on this node (MD-6). Everybody is let through while there are no more microphones than places; with
 * more there are always as many voices let through as there are places. By which rule: see `gating.ts`.
 */
export class StageGate {
  readonly #rule: GateRule;
  readonly #changed: (producerId: string, isOpen: boolean) => void;
  #gate: Gate = emptyGate;

  /**
   * `changed` is called for each voice that is let in or taken out, also for one that is not present any more; what is to be
   * opened comes first.
   */
  constructor(rule: GateRule, changed: (producerId: string, isOpen: boolean) => void) {
    this.#rule = rule;
    this.#changed = changed;
  }

  /** The microphones that the room has now, open and not muted. */
  follow(producerIds: ReadonlySet<string>): void {
    this.#become(followVoices(this.#gate, producerIds, this.#rule));
  }

  isOpen(producerId: string): boolean {
    return this.#gate.voices.get(producerId)?.isOpen ?? false;
  }

  /** One packet of this voice had this level, at this moment of any clock in milliseconds; undefined when it says none. */
  heard(producerId: string, dBov: number | undefined, now: number): void {
    this.#become(nextGate(this.#gate, { producerId, dBov, now }, this.#rule));
  }

  #become(gate: Gate): void {
    const { voices: before } = this.#gate;
    const { voices } = gate;
    this.#gate = gate;
    for (const [id, { isOpen }] of voices) if (isOpen && !before.get(id)?.isOpen) this.#changed(id, true);
    for (const [id, { isOpen }] of before) if (isOpen && !voices.get(id)?.isOpen) this.#changed(id, false);
  }
}
