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

/** A supply that is stopped, and the promise to restore it once nothing severe is left. */
export interface StoppedSupply {
  door: Door
  stopped_at: number
  gone_at: number | null
  restore_by: number | null
  state: 'running' | 'not_heard' | 'broken' | null
  is_at_risk: boolean | null
  technician_name: string | null
}

export interface HazardsPage {
  hazards: OpenHazard[]
  stopped: StoppedSupply[]
  more: boolean
}

/** A step of a ladder that a household stands on. */
export interface Rung {
  id: string
  zh: string
  en: string
  /** How an attempt has to end, and how often, before it comes. */
  after: 'no_one_home' | 'refused' | 'empty'
  times: number
  is_reached: boolean
  at_the_door: boolean
  suspends: boolean
  done_at: number | null
  done_by: string | null
  done_text: string | null
}

export interface UnreachedHome {
  door: Door
  kind: string
  absent: number
  refused: number
  empty: number
  last: 'no_one_home' | 'refused' | 'empty'
  last_at: number
  next: { id: string; zh: string; en: string; suspends: boolean }
  steps: Rung[]
}

/** What the desk was to do next is done since the last visit: somebody comes again. */
export function isDone(home: UnreachedHome): boolean {
  const next = home.steps.find((it) => it.id === home.next.id)
  return (next?.done_at ?? 0) > home.last_at
}

export interface UnreachedPage {
  households: UnreachedHome[]
  more: boolean
}
