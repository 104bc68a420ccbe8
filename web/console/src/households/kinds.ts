// What the API says of a household; instants are Unix milliseconds, days are like 2026-03-02.

import type { Sentence } from '../../../face/words'
import type { Case } from '../cases/kinds'
import type { Application } from '../counter/kinds'
import type { Household, Job } from '../kinds'
import type { HomeOutage } from '../outages/kinds'

export interface Group {
  group: string
  evidence: string
  holds: boolean
  entitles: boolean
  text: string | null
  until: string | null
  by: string | null
  at: number | null
}

export interface Consent {
  purpose: string
  state: 'given' | 'withdrawn' | null
  version: string | null
  channel: string | null
  by: string | null
  at: number | null
}

export interface Reading {
  on: string
  register: number | null
  state: string
  finding: string | null
  job: string | null
}

/** A meter with its life and what hung in its place before. */
export interface Meter {
  id: string
  serial: string
  size: string
  digits: number
  installed_on: string | null
  ends_on: string | null
  is_overdue: boolean
  readings: Reading[]
  before: { serial: string; size: string; removed_on: string; register: number | null }[]
}

export interface Judged {
  finding: string
  abnormal: boolean
  says: Sentence
  grounds: Sentence | null
}

/** How far something is in its life, and who says so: a visit, or else the register. */
export interface Life {
  since: string | null
  is_estimated: boolean
  ends_on: string | null
  age_months: number | null
  life_months: number | null
  is_overdue: boolean
  job: string | null
  photo: string | null
  lot: string
  tight_on: string | null
}

export interface Hose extends Life {
  id: string
  kind: string
  length_mm: number
  max_length_mm: number
  joints: number | null
}

export interface Appliance extends Life {
  id: string
  kind: string
  brand: string
  model: string
  installed_on: string | null
  sold_on: string | null
  flame_out: boolean | null
}

/** Something that is due at the household. */
export interface HomeDue {
  what: string
  by: string
  is_overdue: boolean
  is_estimated: boolean
  kind: string
  zh: string
  en: string
}

export interface Hazard {
  job: string
  visit: string
  fact: string
  zh: string
  en: string
  level: number
  text: string
  found_at: number
  deadline: string | null
  state: 'open' | 'overdue' | 'cleared'
  notice_given: boolean
  /** Whether the desk may say that it is gone. */
  may_close: boolean
  cleared: { by: string; at: number; text: string } | null
}

/** A place that no register knows, taken down for a leak. */
export interface PlaceOfLeak {
  made_at: number
  made_by: string
  /** What its words share with the address of a known door near it. */
  road: string | null
  tied_to: { id: string; account: string; holder: string; address: string } | null
  tied_at: number | null
  tied_by: string | null
}

export interface Visit {
  job: string
  visit: string
  kind: string
  technician: string
  outcome: string | null
  arrived_earliest: number | null
  arrived_latest: number | null
  ended_at: number | null
  last_at: number
}

export interface Entry {
  id: string
  by: string
  at: number
  type: string
  group?: string
  paper?: string
  until?: string
  reason?: string
  purpose?: string
  version?: string
  channel?: string
  phone_before?: string
  phone?: string
  access_before?: string
  holder_before?: string
  address_before?: string
  address?: string
  holder?: string
  application?: string
  access?: string
  language?: 'zh' | 'en'
  text?: string
  register?: number
  state?: string
  verdict?: { finding: string }
  /** Of a step: its key in the rule pack. */
  step?: string
}

/** What a step of the rule pack is called. */
export interface StepName {
  id: string
  zh: string
  en: string
}

export interface Ledger {
  household: Household & { id: string; phone: string; access: string; groups: string[] }
  place: PlaceOfLeak | null
  groups_withheld: boolean
  groups: Group[]
  language: 'zh' | 'en'
  consents: Consent[]
  meters: Meter[]
  hoses: Hose[]
  replacements: { on: string; free: boolean; job?: string; installed: string }[]
  entitlement: { entitlement: 'free' | 'used_up' | 'not_in_group'; group?: string; on?: string }
  appliances: Appliance[]
  due: HomeDue[]
  hazards: Hazard[]
  outages: HomeOutage[]
  visits: Visit[]
  jobs: Job[]
  cases: Case[]
  applications: Application[]
  entries: Entry[]
  /** What the steps are called that entries name. */
  steps: StepName[]
}
