// What a browser calls itself, in words that its owner knows.

import { t } from '../../../face/words'

const BROWSERS: [RegExp, string][] = [
  [/Edg\//, 'Edge'],
  [/Firefox\//, 'Firefox'],
  [/Chrome\//, 'Chrome'],
  [/Safari\//, 'Safari'],
]
const SYSTEMS: [RegExp, string][] = [
  [/Windows/, 'Windows'],
  [/Android/, 'Android'],
  [/HarmonyOS|OpenHarmony/, 'HarmonyOS'],
  [/iPhone|iPad/, 'iOS'],
  [/Mac OS X/, 'macOS'],
  [/Linux/, 'Linux'],
]

export function saysAgent(agent: string | null): string {
  if (!agent) return t('own.agent_unknown')
  const of = (known: [RegExp, string][]) => known.find(([sign]) => sign.test(agent))?.[1]
  const [browser, system] = [of(BROWSERS), of(SYSTEMS)]
  return browser && system ? t('own.browser_on', { browser, system }) : agent
}
