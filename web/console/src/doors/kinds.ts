// What the API says of open hazards and of households that were not reached; instants are Unix milliseconds.

export interface Door {
  id: string
  account: string
  holder: string
  address: string
}

export interface Step {
  id: string
  zh: string
  en: string
  due_at: number | null
  done_at: number | null
  done_by: string | null
  at_the_door: boolean
}

export interface OpenHazard {
  door: Door
  job: string
  visit: string
  fact: string
  zh: string
  en: string
  level: number
  text: string
  found_at: number
  findings: number
  deadline: string | null
  extended_by: string | null
  extended_why: string | null
  may_extend: boolean
  may_close: boolean
  notice: 'none' | 'unsaid' | 'signed' | 'refused_to_sign'
  is_stopped: boolean
  next: Step
  next_at: number | null
  steps: Step[]
}

export interface HazardsPage {
  hazards: OpenHazard[]
  stopped: { door: Door; stopped_at: number; restore_by: number | null }[]
  more: boolean
}

export interface UnreachedPage {
  households: {
    door: Door
    kind: string
    absent: number
    refused: number
    empty: number
    last: 'no_one_home' | 'refused' | 'empty'
    last_at: number
    next: { id: string; zh: string; en: string; suspends: boolean }
  }[]
  more: boolean
}
