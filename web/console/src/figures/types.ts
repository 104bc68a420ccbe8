// Figures as the API gives them.

export interface Named {
  key: string
  name: string
}

/** A number and what is behind it; the lists are cut at 200, the numbers are whole. */
export interface Pile {
  count: number
  /** How many different jobs, households, cases, outages and applications of one's own hall. */
  behind: number
  jobs: string[]
  households?: string[]
  cases?: string[]
  outages?: string[]
  applications?: string[]
}

export interface Line extends Named {
  cells: Pile[]
  /** A share for each rate; null where nothing can be judged. */
  rates: (number | null)[]
}

export interface Figure {
  columns: Named[]
  rates: Named[]
  lines: Line[]
  total: Line
}

export interface OpenPromise {
  job: string
  kind_name: string
  address: string
  technician_name: string | null
  rule: string
  due_at: number
  state: string
  is_at_risk: boolean | null
}

/** A case whose caller was not told yet. */
export interface OpenCase {
  case: string
  number: number
  kind_name: string
  owner_name: string
  rule: string
  due_at: number
  state: string
  is_at_risk: boolean | null
}

/** An outage of which somebody is still to be told (B13). */
export interface OpenOutage {
  outage: string
  kind_name: string
  area: string
  is_announced: boolean
  households: number
  told: number
  rule: string
  due_at: number
  state: string
  is_at_risk: boolean | null
}

/** A supply that is to be restored since the hazards are gone (B7). */
export interface OpenSupply {
  household: string
  address: string
  technician_name: string | null
  rule: string
  due_at: number
  state: string
  is_at_risk: boolean | null
}

export interface Promises {
  open: OpenPromise[]
  open_count: number
  open_cases: OpenCase[]
  open_outages: OpenOutage[]
  open_supplies: OpenSupply[]
  by_rule: Figure
}

export interface Readings {
  told: Figure
  measures: Figure
  since: Figure
}

export interface Hoses {
  replaced: Figure
  due: Figure
  doors: Record<string, { account: string; address: string }>
}

/** What somebody wants to see behind a number. */
export interface Behind {
  title: string
  /** The keys by which the number is found again. */
  line: string
  column: string
  pile: Pile
}

/** Which days are shown. */
export interface Days {
  from: string
  to: string
}
