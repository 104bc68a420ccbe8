// The log's home: IndexedDB, each record sealed, each write ended only when its strict transaction completed.

import { openDB, type DBSchema, type IDBPDatabase, type StoreNames } from 'idb'
import type { KeyRing } from './keys'
import { seal, unseal, type Sealed } from './seal'

interface Row extends Sealed {
  /** Bytes of the log in this row. */
  size: number
}

interface Head {
  /** Which log it is: each replacement makes another, whose rows cannot be mixed with those before. */
  generation: number
  /** How many rows it has. */
  rows: number
}

/** What is read to open the log, sealed as it lies there. */
interface Lying {
  head: Head | undefined
  rows: Row[]
  said: Sealed | undefined
  moment: string | undefined
}

interface Doorstep extends DBSchema {
  log: { key: number; value: Row }
  blobs: { key: string; value: Sealed }
  asides: { key: string; value: Sealed }
  meta: { key: string; value: unknown }
}

type Database = IDBPDatabase<Doorstep>

const STRICT = { durability: 'strict' } as const

/** An error that the brain knows by its name. */
class StoreError extends Error {
  constructor(name: 'Emptied' | 'Stuck' | 'QuotaExceededError', message: string) {
    super(message)
    this.name = name
  }
}

/** The database: made by the first visit, never made anew over one that is there. */
export class Store {
  private head: Head = { generation: 0, rows: 0 }
  /** Nobody knows what is on the disk: the brain has to be opened again. */
  stuck = false
  private database: Promise<Database> | null = null
  /** Fetched while the PIN is typed. */
  private ahead: Promise<Lying> | null = null
  private lastSaid: Promise<Uint8Array | null> = Promise.resolve(null)
  private key: CryptoKey | null = null

  constructor(
    private readonly name: string,
    /** Whether this phone had a log before: then an empty database is a lost one. */
    private hadLog: boolean,
  ) {}

  /** Gives the data key; without it only the ring can be read. */
  unlock(key: CryptoKey): void {
    this.key = key
    this.stuck = false
  }

  async ring(): Promise<KeyRing | null> {
    return ((await this.get('ring')) as KeyRing | undefined) ?? null
  }

  async keepRing(ring: KeyRing): Promise<void> {
    await this.put('ring', ring)
  }

  /** When the phone was last seen, by its own clock; a clock set back does not lengthen a lease. */
  async lastWall(): Promise<number> {
    const text = (await this.get('moment')) as string | undefined
    return text ? (JSON.parse(text) as { wall_ms: number }).wall_ms : 0
  }

  async leftMoment(): Promise<string | null> {
    const moment = this.ahead ? (await this.lying()).moment : await this.get('moment')
    return (moment as string | undefined) ?? null
  }

  /** Fetches what will be read once the key is there; whatever is written to the log meanwhile makes it void. */
  fetchAhead(): void {
    this.ahead = this.fetch()
    this.ahead.catch(() => undefined)
  }

  async read(): Promise<Uint8Array | string | null> {
    const { head, rows, said } = await this.lying()
    this.ahead = null
    this.stuck = false
    // Nothing that cannot be opened.
    this.lastSaid = said ? unseal(this.opened(), 'said', said).catch(() => null) : Promise.resolve(null)
    if (!head) return this.hadLog ? 'gone' : null
    this.head = head
    const pieces = await Promise.all(rows.map((row, at) => unseal(this.opened(), this.about(at), row)))
    const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
    let at = 0
    for (const piece of pieces) {
      whole.set(piece, at)
      at += piece.length
    }
    return whole
  }

  /** What documents said when the app was open before, as it was read with the log. */
  async said(): Promise<Uint8Array | null> {
    const said = await this.lastSaid
    this.lastSaid = Promise.resolve(null)
    return said
  }

  /** What was fetched ahead, or what lies there now. */
  private lying(): Promise<Lying> {
    return this.ahead?.catch(() => this.fetch()) ?? this.fetch()
  }

  private async fetch(): Promise<Lying> {
    const transaction = (await this.open()).transaction(['log', 'meta'])
    const meta = transaction.objectStore('meta')
    const [rows, head, said, moment] = await Promise.all([
      transaction.objectStore('log').getAll(),
      meta.get('head') as Promise<Head | undefined>,
      meta.get('said') as Promise<Sealed | undefined>,
      meta.get('moment') as Promise<string | undefined>,
      transaction.done,
    ])
    return { head, rows, said, moment }
  }

  /** Keeps it, sealed as everything is. */
  async keepSaid(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.put('said', await seal(this.opened(), 'said', bytes))
  }

  async append(bytes: Uint8Array<ArrayBuffer>, moment: string): Promise<void> {
    try {
      await this.add(bytes, moment)
    } catch (error) {
      const isFull = error instanceof Error && error.name === 'QuotaExceededError'
      if (!isFull || this.stuck || !(await this.get('said').catch(() => null))) throw error
      // What only saves time makes room for what was done.
      await this.write(['meta'], (transaction) => void transaction.objectStore('meta').delete('said'))
      await this.add(bytes, moment)
    }
  }

  private async add(bytes: Uint8Array<ArrayBuffer>, moment: string): Promise<void> {
    const { generation, rows } = this.head
    const row = { ...(await seal(this.opened(), this.about(rows), bytes)), size: bytes.length }
    const head = { generation, rows: rows + 1 }
    await this.writeLog((transaction) => {
      void transaction.objectStore('log').add(row, rows)
      void transaction.objectStore('meta').put(head, 'head')
      void transaction.objectStore('meta').put(moment, 'moment')
    })
    this.head = head
  }

  async replace(bytes: Uint8Array<ArrayBuffer>, moment: string): Promise<void> {
    const head = { generation: this.head.generation + 1, rows: 1 }
    const about = `log ${head.generation} 0`
    const row = { ...(await seal(this.opened(), about, bytes)), size: bytes.length }
    await this.writeLog((transaction) => {
      void transaction.objectStore('log').clear()
      void transaction.objectStore('log').put(row, 0)
      void transaction.objectStore('meta').put(head, 'head')
      void transaction.objectStore('meta').put(moment, 'moment')
    })
    this.head = head
  }

  async setAside(bytes: Uint8Array<ArrayBuffer>, why: string): Promise<void> {
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
    const name = `${why}-${[...digest.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
    await this.keep('asides', name, bytes)
  }

  async asides(): Promise<[string, Uint8Array][]> {
    const database = await this.open()
    const names = await database.getAllKeys('asides')
    return Promise.all(
      names.map(async (name): Promise<[string, Uint8Array]> => {
        const sealed = await database.get('asides', name)
        return [name, sealed ? await unseal(this.opened(), `asides ${name}`, sealed) : new Uint8Array()]
      }),
    )
  }

  async erase(): Promise<void> {
    await this.write(['log', 'blobs', 'asides', 'meta'], (transaction) => {
      void transaction.objectStore('log').clear()
      void transaction.objectStore('blobs').clear()
      void transaction.objectStore('asides').clear()
      void transaction.objectStore('meta').clear()
    })
    this.head = { generation: 0, rows: 0 }
    this.hadLog = false
  }

  async keepBlob(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.keep('blobs', name, bytes)
  }

  async readBlob(name: string): Promise<Uint8Array | null> {
    const sealed = await (await this.open()).get('blobs', name)
    return sealed ? unseal(this.opened(), `blobs ${name}`, sealed) : null
  }

  async removeBlob(name: string): Promise<void> {
    await this.write(['blobs'], (transaction) => void transaction.objectStore('blobs').delete(name))
  }

  async blobNames(): Promise<string[]> {
    return (await this.open()).getAllKeys('blobs')
  }

  private async keep(where: 'blobs' | 'asides', name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const sealed = await seal(this.opened(), `${where} ${name}`, bytes)
    await this.write([where], (transaction) => void transaction.objectStore(where).put(sealed, name))
  }

  private async get(key: string): Promise<unknown> {
    return (await this.open()).get('meta', key)
  }

  private async put(key: string, value: unknown): Promise<void> {
    await this.write(['meta'], (transaction) => void transaction.objectStore('meta').put(value, key))
  }

  /** Writes to the log that is in memory: what is added to one that somebody cleared under the app is never read. */
  private async writeLog(fill: (transaction: ReturnType<typeof begun<['log', 'meta']>>) => void): Promise<void> {
    await this.write(['log', 'meta'], async (transaction) => {
      const head = (await transaction.objectStore('meta').get('head')) as Head | undefined
      if (!this.isMine(head)) throw new StoreError('Emptied', 'the log is not on the disk any more')
      fill(transaction)
    })
  }

  /** One strict transaction; ends when it completed. After an error nothing of it is there, or the store is stuck. */
  private async write<Names extends StoreNames<Doorstep>[]>(
    names: Names,
    fill: (transaction: ReturnType<typeof begun<Names>>) => void | Promise<void>,
  ): Promise<void> {
    if (this.stuck) throw new StoreError('Stuck', 'open the store again')
    if ((names as string[]).includes('log')) this.ahead = null
    const transaction = begun(await this.open(), names)
    const done = transaction.done
    // Each request's own error arrives with the transaction's.
    done.catch(() => undefined)
    try {
      await fill(transaction)
      await done
    } catch (error) {
      if (error instanceof StoreError) throw error
      const cause = transaction.error ?? error
      if (isAborted(cause)) throw cause
      // The connection broke: only reading again tells what is on the disk.
      this.database = null
      this.stuck = !(await this.isAsBefore())
      if (isFull(cause)) throw new StoreError('QuotaExceededError', String(cause))
      throw this.stuck ? new StoreError('Stuck', String(cause)) : cause
    }
  }

  /** Whether the log on the disk is the one in memory; a disk that cannot be read does not say. */
  private async isAsBefore(): Promise<boolean> {
    try {
      return this.isMine((await this.get('head')) as Head | undefined)
    } catch {
      return false
    }
  }

  /** Whether it is the head of the log in memory. */
  private isMine({ generation, rows }: Head = { generation: 0, rows: 0 }): boolean {
    return generation === this.head.generation && rows === this.head.rows
  }

  private opened(): CryptoKey {
    if (!this.key) throw new StoreError('Stuck', 'the store is locked')
    return this.key
  }

  private about(row: number): string {
    return `log ${this.head.generation} ${row}`
  }

  /** The connection; one that the browser closed is opened again. */
  private open(): Promise<Database> {
    this.database ??= openDB<Doorstep>(this.name, 1, {
      upgrade(database) {
        database.createObjectStore('log')
        database.createObjectStore('blobs')
        database.createObjectStore('asides')
        database.createObjectStore('meta')
      },
      terminated: () => {
        this.database = null
      },
    })
    this.database.catch(() => {
      this.database = null
    })
    return this.database
  }
}

function begun<Names extends StoreNames<Doorstep>[]>(database: Database, names: Names) {
  return database.transaction(names, 'readwrite', STRICT)
}

/** Whether the browser says that the transaction was rolled back: then nothing of it is there. */
function isAborted(cause: unknown): boolean {
  const name = cause instanceof Error || cause instanceof DOMException ? cause.name : ''
  return ['QuotaExceededError', 'AbortError', 'ConstraintError', 'DataCloneError', 'DataError'].includes(name)
}

/** Chromium's words for a disk without room, which break its connection besides. */
function isFull(cause: unknown): boolean {
  return /NO_SPACE|no space|quota/i.test(String(cause))
}
