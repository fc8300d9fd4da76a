// Every way in which the broken registry breaks; at least one for each requirement.
import type { Sabotage } from './broken-registry.ts';
import { answerSabotages } from './sabotages/answers.ts';
import { discoverySabotages } from './sabotages/discovery.ts';
import { pullSabotages } from './sabotages/pull.ts';
import { pushSabotages } from './sabotages/push.ts';

export const sabotages: readonly Sabotage[] = [
  ...pullSabotages,
  ...pushSabotages,
  ...discoverySabotages,
  ...answerSabotages,
];
