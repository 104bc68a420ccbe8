// Which days are looked at, and the reports of these days in the language chosen.

import { computed, reactive, shallowRef, watch, type Ref } from 'vue'
import { dayOf, language } from '../../../face/words'
import { Problem, get } from '../api'
import { offset } from '../session'
import type { Behind, Days, Figure, Line, Pile } from './types'

const DAY_MS = 86_400_000

export const SPANS = ['today', 'yesterday', 'week', 'month', 'free'] as const
export type SpanKey = (typeof SPANS)[number]

/** Kept while the console is open, so that going to a job and back shows the same. */
export const days = reactive<Days & { span: SpanKey }>({ from: '', to: '', span: 'week' })

/** Sets the days of a span that counts back from today. */
export function chooseSpan(span: SpanKey): void {
  days.span = span
  const back = (count: number) => dayOf(Date.now() - count * DAY_MS, offset())
  if (span === 'today') Object.assign(days, { from: back(0), to: back(0) })
  if (span === 'yesterday') Object.assign(days, { from: back(1), to: back(1) })
  if (span === 'week') Object.assign(days, { from: back(6), to: back(0) })
  if (span === 'month') Object.assign(days, { from: back(29), to: back(0) })
}

export interface Asked<What> {
  data: Ref<What | null>
  wrong: Ref<string>
}

export const reportPath = (report: string, more = '') => `/api/reports/${report}?from=${days.from}&to=${days.to}&lang=${language.value}${more}`

/** A report that is asked for again when days, language or what makes a line change. */
export function useReport<What>(report: string, more: () => string = () => ''): Asked<What> {
  const data: Ref<What | null> = shallowRef(null)
  const wrong = shallowRef('')
  let newest = 0
  const path = computed(() => reportPath(report, more()))
  watch(
    path,
    async (asked) => {
      const mine = ++newest
      try {
        const body = await get<What>(asked)
        if (mine === newest) [data.value, wrong.value] = [body, '']
      } catch (error) {
        // What is shown no longer fits the days above it.
        if (mine === newest) [data.value, wrong.value] = [null, error instanceof Problem ? error.words : String(error)]
      }
    },
    { immediate: true },
  )
  return { data, wrong }
}

/** Where a figure's file is, or, with a line and a column, that of what is behind their number. */
export function filePath(file: string, format: string, cell?: Pick<Behind, 'line' | 'column'>): string {
  const [figure, by = ''] = file.split('?')
  const asked = new URLSearchParams(by)
  for (const [key, value] of Object.entries({ from: days.from, to: days.to, lang: language.value, format })) asked.set(key, value)
  if (cell) asked.set('line', cell.line)
  if (cell) asked.set('column', cell.column)
  return `/api/exports/figures/${figure}${cell ? '/behind' : ''}?${asked}`
}

export const listPath = (list: string, format: string) => `/api/exports/lists/${list}?lang=${language.value}&format=${format}`

/** Whether anything is behind a number that may be opened here. */
export const opens = (pile: Pile) => pile.behind > 0

/** 93%, or a dash where nothing can be judged. */
export const percent = (share: number | null | undefined) => (share === null || share === undefined ? '—' : `${Math.round(share * 100)}%`)

export const sum = (line: Line) => line.cells.reduce((all, cell) => all + cell.count, 0)

/** What a number's list is shown by. */
export const behindOf = (figure: Figure, line: Line, at: number): Behind => ({
  title: `${line.name} · ${figure.columns[at]?.name ?? ''}`,
  line: line.key,
  column: figure.columns[at]?.key ?? '',
  pile: line.cells[at] ?? { count: 0, behind: 0, jobs: [] },
})
