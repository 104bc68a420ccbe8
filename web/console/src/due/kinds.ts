// What the API says is due; days are the city's, instants Unix milliseconds.

import type { Span } from '../kinds'
import type { Figure } from '../figures/types'

export interface DueItem {
  household: string
  account: string
  holder: string
  address: string
  what: string
  about: string | null
  from: string
  by: string
  is_overdue: boolean
  is_estimated: boolean
  /** The kind of job that serves it. */
  kind: string
  zh: string
  en: string
  /** The newest visit for it did not get in. */
  tried: { last: 'no_one_home' | 'refused' | 'empty'; last_at: number; next: { zh: string; en: string } | null } | null
  job: { id: string; status: string; technician: string | null; window: Span | null; proposed: Span | null } | null
}

export interface DuePage {
  items: DueItem[]
  next: string | null
  total: number
  households: number
  today: string
}

export interface DueFigures {
  by_what: Figure
  by_month: Figure
  by_road: Figure
  households: number
  /** The hours of a day in which windows are offered, by the rule pack. */
  offered_hours: [number, number][]
  /** A window that is only announced begins so many hours later, or more. */
  notice_hours: number
}

/** What the list shows; empty shows all. */
export interface Filter {
  what: string
  month: string
  road: string
  building: string
  served: string
  text: string
}

/** What was made, or would be. */
export interface DueJobs {
  doors: { household: string; job: string | null; window: Span }[]
  left: { household: string; why: 'job_open' | 'not_due' | 'no_room' }[]
}
