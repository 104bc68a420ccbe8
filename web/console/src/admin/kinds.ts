// What the API says to who runs the hall; instants are Unix milliseconds.

import type { Device, Named, Person, Role } from '../kinds'
import type { Sentence } from '../../../face/words'

export const ROLES: Role[] = ['technician', 'dispatcher', 'hall', 'manager', 'admin']

export interface Listed extends Person {
  disabled: boolean
}

export interface Hall {
  id: string
  name: string
  utc_offset_minutes: number
  people: number
  phones: number
  households: number
}

export interface Phone extends Device {
  enrolled_at: number
  revoked_reason: 'lost' | 'retired' | null
  lease_until: number | null
}

export interface RulePack {
  id: string
  valid_from: string
  source: string
  added_at: number
  added_by: string | null
  withdrawn_at: number | null
  in_force: boolean
  has_begun: boolean
  jobs: number
  looser: Looser[]
  /** The last day whose holidays were published. */
  published_until: string | null
}

/** A length of time as it was promised: one of the three. */
export interface PromisedSpan {
  minutes?: number
  days?: number
  working_days?: number
}

/** A figure looser than the law above it. */
export interface Looser {
  rule: string
  of: 'city' | null
  figure: PromisedSpan
  source: string
  than: 'nation' | 'city'
  law: PromisedSpan
  law_source: string
}

export interface Difference extends Partial<Pick<Named, 'zh' | 'en'>> {
  table: string
  item: string | null
  field: string | null
  was: string | null
  is: string | null
  was_source: string | null
  is_source: string | null
}

export interface Turn {
  was: string
  is: string
  count: number
  jobs: string[]
}

export interface Trial {
  jobs: number
  left_out: number
  readings: Turn[]
  appointments: Turn[]
  promises: Turn[]
  hazards: Turn[]
  missing: { what: Sentence; count: number; jobs: string[] }[]
}

export interface Understood {
  file: string
  table: string
  rows: number
  columns: [string, string | null][]
}

export interface Import {
  id: string
  applied_at: number | null
  preview: {
    tables: Understood[]
    counts: Record<string, { new: number; changed: number; unchanged: number }>
    problems: number
  }
}

export interface Problematic {
  file: string
  line: number
  column: string | null
  value: string
  why_zh: string
  fix_zh: string
  why_en: string
  fix_en: string
}

export interface Apart {
  hash: string
  job: string | null
  user: string
  device: string
  reason: string
  received_at: number
  bytes: number
}

export interface Entry {
  id: string
  at: number
  person: string | null
  name: string | null
  role: Role | null
  via: string
  phone: string | null
  what: string
  subject_kind: string | null
  subject: string | null
  subject_name: string | null
  job_kind: string | null
  detail: Record<string, unknown> | null
  number: number | null
}

export interface Chain {
  first_number: number
  last_number: number
  unsealed: number
  head: string
  broken: { number: number; how: 'missing' | 'changed' } | null
}
