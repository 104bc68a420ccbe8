// What the API says of cash; amounts are fen, instants Unix milliseconds.

export interface TechnicianCash {
  technician: string
  name: string
  taken: number
  receipts: number
  void: number
  handed_in: number
  difference: number
  carried: number
  is_open: boolean
  heard_at: number | null
  pending: number
}

export interface CashReceipt {
  job: string
  technician: string
  receipt: string
  account: string
  amount: number
  reason: string
  taken_at: number
  is_void: boolean
  is_reserved: boolean
  cases: { id: string; number: number; doubt: 'paid_twice' | 'same_number' }[]
}

export interface CashCount {
  id: string
  technician: string
  counted: number
  note: string
  author: string
  at: number
}

export interface CashDay {
  day: string
  technicians: TechnicianCash[]
  receipts: CashReceipt[]
  hand_ins: CashCount[]
}
