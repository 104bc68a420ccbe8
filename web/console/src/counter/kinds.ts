// What the API says of applications; instants are Unix milliseconds, money is in fen.

import type { Door, Job } from '../kinds'

export interface Item {
  id: string
  zh: string
  en: string
}
export interface Paper extends Item {
  when?: string
  unless?: string
}
export interface Condition extends Item {
  when?: string
  least?: number
  in_words: boolean
}
export interface Fee extends Item {
  /** Worked out by the hall where nothing is said. */
  fen?: number
  kept: boolean
}

/** Something that a household can ask for, by the rule pack. */
export interface Procedure extends Item {
  rule: string
  papers: Paper[]
  conditions: Condition[]
  fees: Fee[]
  one_name?: [string, string]
  jobs: string[]
  needs_appointment: boolean
  opens_account: boolean
  /** What of the account changes with it. */
  changes?: 'holder' | 'address'
  /** What to ask first: it changes what has to be brought. */
  circumstances: string[]
}

export interface Counter {
  procedures: Procedure[]
  calls: { staff_rings: number; public_rings: number }
  payment: {
    answers: { id: string; zh: string; en: string; answer_zh: string; answer_en: string }[]
    notice_zh: string
    notice_en: string
  }
}

export interface Application {
  id: string
  number: number
  procedure: string
  state: string
  household: Door
  applicant: string
  words: string
  owner: string
  trips: number
  breaches: number
  was_incomplete: boolean
  taken_at: number
  accepted_at: number | null
  ended_at: number | null
  version: number
}

export interface ApplicationsPage {
  applications: Application[]
  counts: { gathering: number; incomplete: number; accepted: number; breached: number }
  next: string | null
}

export interface Missing {
  what: 'paper' | 'one_name' | 'condition' | 'fee'
  id: string
  zh: string
  en: string
}

export interface Happened {
  type: string
  by: string
  at: number
  channel?: string
  circumstances?: string[]
  paper?: string
  fee?: string
  condition?: string
  item?: string
  amount?: number
  receipt?: string
  missing?: { what: string; id?: string }[]
  job?: string
  kind?: string
  text?: string
}

export interface WholeApplication {
  application: Application
  contact: string
  new_holder: string
  new_phone: string
  new_address: string
  procedure: Procedure
  circumstances: string[]
  seen: { paper: string; name: string; digits: string; by: string }[]
  paid: { fee: string; amount: number; receipt: string }[]
  declared: { condition: string; number: number | null; text: string; by: string }[]
  missing: Missing[]
  may: string[]
  jobs: Job[]
  history: Happened[]
}
