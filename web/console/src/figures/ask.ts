// Which days are looked at, and the reports of these days in the language chosen.

import { computed, reactive, shallowRef, watch, type Ref } from 'vue'
import { dayOf, language, t } from '../../../face/words'
import { Problem, get } from '../api'
import { offset } from '../session'
import type { Days, Figure, Line, Punctuality, PunctualityRow } from './types'

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

const VERDICTS = ['on_time', 'early', 'late', 'missed', 'cannot_tell', 'not_heard', 'released', 'pending']

/** The punctuality report as a table of numbers. */
export function asFigure({ rows, rate }: Punctuality): Figure {
  const lines = rows.map((row: PunctualityRow): Line => ({
    key: row.key,
    name: row.name || t('figures.nobody'),
    cells: VERDICTS.map((verdict) => ({ count: Number(row[verdict] ?? 0), jobs: row.jobs[verdict] ?? [] })),
    rates: [row.rate],
  }))
  const cells = VERDICTS.map((_, at) => {
    const all = lines.map((line) => line.cells[at] ?? { count: 0, jobs: [] })
    return { count: all.reduce((sum, it) => sum + it.count, 0), jobs: [...new Set(all.flatMap((it) => it.jobs))].slice(0, 200) }
  })
  const columns = VERDICTS.map((key) => ({ key, name: t(`punctuality.${key}`) }))
  return { columns, rates: [{ key: 'rate', name: t('figures.on_time_rate') }], lines, total: { key: 'total', name: t('figures.total'), cells, rates: [rate] } }
}

/** 93%, or a dash where nothing can be judged. */
export const percent = (share: number | null | undefined) => (share === null || share === undefined ? '—' : `${Math.round(share * 100)}%`)

export const sum = (line: Line) => line.cells.reduce((all, cell) => all + cell.count, 0)
