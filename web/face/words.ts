// Words: the catalogue said in the language chosen, and days, times and numbers as people there write them.

import { ref, watchEffect } from 'vue'
import catalogue from 'virtual:words'

export type Language = 'zh' | 'en'

/** A sentence of the catalogue and what stands in its places. */
export interface Sentence {
  key: string
  arguments: Record<string, string>
}

const KEPT = 'doorstep.language'
/** Ends the name of a place that another key of the catalogue fills. */
const KEY = '.key'

export const language = ref<Language>(chosen())

/** Names the page, in the language chosen. */
export function entitle(key: string): void {
  watchEffect(() => {
    document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en'
    document.title = t(key)
  })
}

export function choose(wanted: Language): void {
  language.value = wanted
  localStorage.setItem(KEPT, wanted)
}

function chosen(): Language {
  const kept = localStorage.getItem(KEPT)
  if (kept === 'zh' || kept === 'en') return kept
  return navigator.language.startsWith('en') ? 'en' : 'zh'
}

/** Says a sentence of the catalogue; an unknown key is said as it is, so that it is seen and mended. */
export function t(key: string, places: Record<string, string | number> = {}): string {
  const template = catalogue[key]?.[language.value === 'zh' ? 0 : 1] ?? key
  return template.replaceAll(/\{(\w+)\}/g, (place, name: string) => String(places[name] ?? place))
}

/** Says a sentence that the brain made; some places have words of their own in each language, or another key's. */
export function say(sentence: Sentence): string {
  const mine = `.${language.value}`
  const places = Object.entries(sentence.arguments ?? {}).flatMap(([name, value]): [string, string][] => {
    if (!name.includes('.')) return [[name, value]]
    if (name.endsWith(KEY)) return [[name.slice(0, -KEY.length), t(value)]]
    return name.endsWith(mine) ? [[name.slice(0, -mine.length), value]] : []
  })
  return t(sentence.key, Object.fromEntries(places))
}

/** An item of a rule pack in the language chosen. */
export function named(item: { zh: string; en: string }): string {
  return language.value === 'zh' ? item.zh : item.en
}

const pad = (number: number) => String(number).padStart(2, '0')

/** An instant as the city's own date parts. */
function local(ms: number, offsetMinutes: number): Date {
  return new Date(ms + offsetMinutes * 60_000)
}

export function clock(ms: number, offsetMinutes: number): string {
  const at = local(ms, offsetMinutes)
  return `${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}`
}

export function dayOf(ms: number, offsetMinutes: number): string {
  return local(ms, offsetMinutes).toISOString().slice(0, 10)
}

export function dayAndClock(ms: number, offsetMinutes: number): string {
  return `${dayName(dayOf(ms, offsetMinutes))} ${clock(ms, offsetMinutes)}`
}

/** What stands beside month and day. */
const BESIDE = { weekday: { weekday: 'short' }, year: { year: 'numeric' }, nothing: {} } as const

/** A day as people say it: 11月24日周二, Tue 24 Nov; what is long ago with its year. */
export function dayName(day: string, beside: keyof typeof BESIDE = 'weekday'): string {
  const at = new Date(`${day}T00:00:00Z`)
  const how = { timeZone: 'UTC', month: 'short', day: 'numeric', ...BESIDE[beside] } as const
  return new Intl.DateTimeFormat(language.value === 'zh' ? 'zh-CN' : 'en-GB', how).format(at)
}

/** 138 0013 8000; a landline keeps its area code apart. */
export function telephone(digits: string): string {
  if (/^1\d{10}$/.test(digits)) return `${digits.slice(0, 3)} ${digits.slice(3, 7)} ${digits.slice(7)}`
  // An area code has three digits in the four great cities and four elsewhere.
  const area = /^0(?:10|2\d)/.test(digits) ? 3 : 4
  return digits.startsWith('0') && digits.length > 8 ? `${digits.slice(0, area)}-${digits.slice(area)}` : digits
}

/** Cubic metres of so many litres. */
export function cubicMetres(litres: number): string {
  return (litres / 1000).toFixed(3).replace(/\.?0+$/, '')
}

/** So many fen as yuan, to the fen. */
export function yuan(fen: number): string {
  const sign = fen < 0 ? '−' : ''
  return `${sign}¥ ${(Math.abs(fen) / 100).toFixed(2)}`
}

/** How long, in the largest unit that says enough. */
export function howLong(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000))
  if (minutes < 1) return t('age.moments')
  if (minutes < 60) return t('age.minutes', { count: minutes })
  if (minutes < 48 * 60) return t('age.hours', { count: Math.floor(minutes / 60), minutes: minutes % 60 })
  return t('age.days', { count: Math.floor(minutes / 1440) })
}
