import { parseArgs } from 'node:util';

/** A whole number that can be set, with its bounds: a benchmark on a shared machine must not run away. */
export type NumberOption = {
  readonly standard: number;
  readonly min: number;
  readonly max: number;
  readonly says: string;
};
/** One of some words. */
export type ChoiceOption = { readonly standard: string; readonly of: readonly string[]; readonly says: string };
export type FlagOption = { readonly standard: false; readonly says: string };
/** Whole numbers, separated by commas. */
export type ListOption = {
  readonly standard: readonly number[];
  readonly min: number;
  readonly max: number;
  readonly says: string;
};

type Option = NumberOption | ChoiceOption | FlagOption | ListOption;
type Options = { readonly [name: string]: Option };

export type Chosen<Given extends Options> = {
  readonly [name in keyof Given]: Given[name] extends NumberOption
    ? number
    : Given[name] extends ListOption
      ? readonly number[]
      : Given[name] extends FlagOption
        ? boolean
        : string;
};

const flags = {
  json: { standard: false, says: 'print the result as JSON, and nothing else, on the standard output' },
  help: { standard: false, says: 'print this' },
} as const satisfies Options;

/**
 * What the command line chose. Ends the process after `--help`, and after an option that is unknown or out of bounds,
 * which it says.
 */
export const chooseOptions = <const Given extends Options>(
  about: { readonly command: string; readonly says: string },
  given: Given,
): Chosen<Given & typeof flags> => {
  const options: Options = { ...given, ...flags };
  try {
    const chosen = parse(options);
    if (chosen['help'] === true) {
      console.log(help(about, options));
      process.exit(0);
    }
    // `parse` answers with a value of its option's kind for every option, which TypeScript cannot follow by name.
    return chosen as Chosen<Given & typeof flags>;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\nTry --help.`);
    process.exit(2);
  }
};

type Value = number | boolean | string | readonly number[];

const parse = (options: Options): Record<string, Value> => {
  const { values } = parseArgs({
    options: Object.fromEntries(
      Object.entries(options).map(([name, { standard }]) => [
        name,
        { type: standard === false ? ('boolean' as const) : ('string' as const) },
      ]),
    ),
  });
  return Object.fromEntries(
    Object.entries(options).map(([name, option]) => {
      const text = values[name];
      return [name, typeof text === 'string' ? read(name, option, text) : (text ?? option.standard)];
    }),
  );
};

const read = (name: string, option: Option, text: string): Value => {
  if ('of' in option) {
    if (!option.of.includes(text)) throw new Error(`--${name} must be one of ${option.of.join(', ')}`);
    return text;
  }
  if (!('min' in option)) return true;
  const { standard, min, max } = option;
  const numbers = text.split(',').map(Number);
  const right = numbers.every((number) => Number.isInteger(number) && number >= min && number <= max);
  const isList = typeof standard !== 'number';
  if (!right || (numbers.length > 1 && !isList))
    throw new Error(`--${name} takes ${isList ? 'whole numbers' : 'a whole number'} from ${min} to ${max}`);
  return isList ? numbers : (numbers[0] ?? standard);
};

const help = ({ command, says }: { command: string; says: string }, options: Options): string => {
  const rows = Object.entries(options).map(([name, option]): [string, string] => {
    if ('of' in option) return [`--${name} ${option.of.join('|')}`, `${option.says} (${option.standard})`];
    if (!('min' in option)) return [`--${name}`, option.says];
    const takes = typeof option.standard === 'number' ? 'N' : 'N,N…';
    return [`--${name} ${takes}`, `${option.says} (${option.standard}; ${option.min} to ${option.max})`];
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    `${command} [options]`,
    '',
    says,
    '',
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`),
  ].join('\n');
};
