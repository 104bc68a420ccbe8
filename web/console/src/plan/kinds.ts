// What the server says of plans and of who is near.

import type { Offer } from '../kinds'

/** A skill of the rule pack with its names. */
export interface Skill {
  id: string
  zh: string
  en: string
}

/** A job that somebody should have. */
export interface Proposed {
  job: string
  from: string | null
  technician: string
  metres: number | null
  set_out_at: number
  reached_at: number
  left_at: number
  late_minutes: number
  in_area: boolean
  lacks_window: boolean
  position: number
}

/** A day in figures. */
export interface Figures {
  given_out: number
  late: number
  late_minutes: number
  metres: number
  travel_minutes: number
}

export interface Proposal {
  assigned: Proposed[]
  left: { job: string; reason: string; skills: Skill[] }[]
  before: Figures
  after: Figures
  cut_short: boolean
}

/** Who could be at a job first. */
export interface Nearest {
  due_at: number | null
  nearest: Offer[]
  skills: Skill[]
}
