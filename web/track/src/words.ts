// Words and times of the page, in the household's language until it chooses another.

import catalogue from 'virtual:words'

export type Language = 'zh' | 'en'

export interface Sentence {
  key: string
  arguments: Record<string, string>
}

let spoken: Language = navigator.language.startsWith('en') ? 'en' : 'zh'

export const language = (): Language => spoken

export function speak(wanted: Language): void {
  spoken = wanted
  document.documentElement.lang = wanted === 'zh' ? 'zh-CN' : 'en'
  document.title = t('track.title')
}

export function t(key: string, places: Record<string, string | number> = {}): string {
  const template = catalogue[key]?.[spoken === 'zh' ? 0 : 1] ?? key
  return template.replaceAll(/\{(\w+)\}/g, (place, name: string) => String(places[name] ?? place))
}

/** A sentence of the server; some places have words of their own in each language. */
export function say(sentence: Sentence): string {
  const mine = `.${spoken}`
  const places = Object.entries(sentence.arguments).map(([name, value]): [string, string] => [name.endsWith(mine) ? name.slice(0, -mine.length) : name, value])
  return t(sentence.key, Object.fromEntries(places))
}

const locale = (): string => (spoken === 'zh' ? 'zh-CN' : 'en-GB')
const shifted = (ms: number, offset: number): Date => new Date(ms + offset * 60_000)

export function day(ms: number, offset: number): string {
  return new Intl.DateTimeFormat(locale(), { timeZone: 'UTC', month: 'short', day: 'numeric', weekday: 'short' }).format(shifted(ms, offset))
}

export const isoDay = (ms: number, offset: number): string => shifted(ms, offset).toISOString().slice(0, 10)
export const clock = (ms: number, offset: number): string => shifted(ms, offset).toISOString().slice(11, 16)
export const moment = (ms: number, offset: number): string => `${day(ms, offset)} ${clock(ms, offset)}`
export const span = (it: { start: number; end: number }, offset: number): string => `${moment(it.start, offset)}–${clock(it.end, offset)}`

export function age(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000))
  if (minutes < 1) return t('age.moments')
  if (minutes < 60) return t('age.minutes', { count: minutes })
  if (minutes < 48 * 60) return t('age.hours', { count: Math.floor(minutes / 60), minutes: minutes % 60 })
  return t('age.days', { count: Math.floor(minutes / 1440) })
}
