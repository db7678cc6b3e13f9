import { defaultLimits } from '@rostrum/shared/limits.ts';
import type { Config } from './config.ts';
import { limitNames, limitVariable, variables } from './config-variables.ts';

/**
 * What every node of a cluster should be set to alike, by its variable and as text; what is left at its standard is left out. Where
 * nodes differ in it, how somebody is served depends on the node that they come to. It holds secrets, so it is not to be shown.
 */
export const sharedSettings = ({ limits, turn, ...config }: Config): ReadonlyMap<string, string> => {
  const limitsSet = limitNames.filter((name) => limits[name] !== defaultLimits[name]);
  const { publicUrl, allowedOrigins, stunUrls, turnUrls, turnSecret } = variables;
  const { matchFilters, callsRelayOnly, callsSfuFallback, plans } = variables;
  const settings: readonly (readonly [string, string])[] = [
    [publicUrl.name, config.publicUrl ?? ''],
    [allowedOrigins.name, config.allowedOrigins.join()],
    [stunUrls.name, config.stunUrls.join()],
    [turnUrls.name, turn?.urls.join() ?? ''],
    [turnSecret.name, turn?.secret ?? ''],
    [matchFilters.name, config.matchFilters.join()],
    [callsRelayOnly.name, config.callsRelayOnly ? 'true' : ''],
    [callsSfuFallback.name, config.callsSfuFallback ? 'true' : ''],
    [plans.name, config.plans ? 'true' : ''],
    ...limitsSet.map((name) => [limitVariable(name), String(limits[name])] as const),
  ];
  return new Map(settings.filter(([, text]) => text !== ''));
};
