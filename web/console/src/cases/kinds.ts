// What the API says of cases; instants are Unix milliseconds.

import type { Door, Job } from '../kinds'

export const CASE_KINDS = ['request', 'question', 'complaint', 'leak_report', 'suggestion', 'abuse_report'] as const

export interface Case {
  id: string
  number: number
  kind: string
  channel: string
  state: string
  words: string
  household: Door | null
  caller: string
  contact: string
  is_secret: boolean
  owner: string
  owner_has_left: boolean
  offered_to: string | null
  promise: { rule: string; due_at: number; state: string } | null
  call_back_owed: boolean
  opened_at: number
  told_at: number | null
  closed_at: number | null
  version: number
}

export interface Counts {
  mine: number
  offered: number
  open: number
  overdue: number
  call_back: number
  left: number
  asked: number
}

export interface CasesPage {
  cases: Case[]
  counts: Counts
  next: string | null
}

export interface Happened {
  type: string
  by: string
  at: number
  text?: string
  to?: string
  job?: string
  founded?: boolean
  channel?: string
  reached?: boolean
}

export interface AskedAt {
  job: string
  visit: string
  fact: string
}

export interface WholeCase {
  case: Case
  history: Happened[]
  may: string[]
  jobs: Job[]
  /** The jobs whose work it looks at, because it was done twice. */
  about: Job[]
  looks: { by: string; at: number; refused: boolean }[]
  may_see_reporter: boolean
  reward_yuan: number | null
  broken_before: number
  asked: AskedAt | null
}

export interface Question {
  asked: AskedAt
  question: string
  earliest: number
  latest: number
  technician: string
  household: Door
  phone: string
}

/** A promise that starts when something is taken on. */
export interface Promised {
  rule: string
  kinds: string[]
  starts: 'taken' | 'papers_complete'
  /** When it would be over if it started now. */
  due_at: number
  /** The same by the rulebook's other figure, where it gives two. */
  guide_due_at: number | null
}

export interface Promises {
  cases: Promised[]
  jobs: Promised[]
  /** The kinds of job that the rule pack in force offers. */
  kinds: string[]
}
