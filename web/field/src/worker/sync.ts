// The way to the hall, walked by itself: after each save, at the start, when the page comes back, and every half minute.

import { carry_photo, type Brain } from '../brain/brain.js'
import type { ReminderName } from '../kinds'
import { HallFault, type Hall, type HallReminder, type ReminderAnswer } from './hall'
import type { SyncNews, SyncPhase } from './protocol'

const ROUNDS = 200
const EVERY_MS = 30_000
const FIRST_AGAIN_MS = 3_000
const LONGEST_AGAIN_MS = 120_000
const AFTER_SAVE_MS = 250

/** An answer that the hall has not heard. */
interface Untold {
  reminder: ReminderName
  answer: ReminderAnswer
  is_over: boolean
}

/** What the loop needs of the worker. */
export interface Ground {
  hall: Hall
  /** One thing at a time: the brain is one object. */
  alone<What>(task: (brain: Brain) => Promise<What> | What): Promise<What>
  tell(news: SyncNews): void
  changed(): void
  /** The hall was heard. */
  heard(): Promise<void>
}

export class Sync {
  private news: SyncNews = { phase: 'never', nextAt: 0, sending: [] }
  private timer: ReturnType<typeof setTimeout> | undefined
  private running: Promise<void> | null = null
  private again = false
  private failures = 0
  private stopped = false

  constructor(private readonly ground: Ground) {}

  /** Meets the hall now; ends when the meeting is over. */
  async now(): Promise<void> {
    if (this.stopped) return
    if (this.running) {
      this.again = true
      return this.running
    }
    clearTimeout(this.timer)
    this.running = this.meet().finally(() => {
      this.running = null
      const soon = this.again
      this.again = false
      this.later(soon ? AFTER_SAVE_MS : this.pause())
    })
    return this.running
  }

  /** Something was saved: soon. */
  poke(): void {
    if (this.running) this.again = true
    else if (this.failures === 0) this.later(AFTER_SAVE_MS)
  }

  stop(): void {
    this.stopped = true
    clearTimeout(this.timer)
  }

  private later(ms: number): void {
    if (this.stopped) return
    clearTimeout(this.timer)
    this.say({ nextAt: Date.now() + ms })
    this.timer = setTimeout(() => void this.now(), ms)
  }

  /** After failures longer and longer, never at the same moment as everybody else. */
  private pause(): number {
    if (this.failures === 0) return EVERY_MS
    const ms = Math.min(FIRST_AGAIN_MS * 2 ** (this.failures - 1), LONGEST_AGAIN_MS)
    return ms * (0.75 + Math.random() / 2)
  }

  private async meet(): Promise<void> {
    this.say({ phase: 'talking' })
    const phase = await this.exchange()
    this.failures = phase === 'complete' ? 0 : this.failures + 1
    this.say({ phase })
    if (phase === 'complete') {
      await this.ground.heard()
      await this.answerReminders().catch(() => undefined)
      await this.sendPhotos()
    }
  }

  private async exchange(): Promise<SyncPhase> {
    let phase: SyncPhase = 'not_stored'
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        const offer = await this.ground.alone((brain) => brain.offer(Date.now(), performance.now()))
        const reply = await this.ground.hall.exchange(offer as Uint8Array<ArrayBuffer>)
        const took = await this.ground.alone((brain) => brain.take_reply(reply, Date.now(), performance.now()))
        if (took === 'again') continue
        phase = took === 'complete' ? 'complete' : took === 'not_the_hall' ? 'not_the_hall' : 'not_stored'
        break
      }
    } catch (error) {
      phase = error instanceof HallFault ? error.fault : 'not_stored'
    }
    const news = await this.ground.alone((brain) => brain.finish_sync(phase === 'complete'))
    if (news) this.ground.changed()
    return phase
  }

  /** Pictures follow the facts; a part of one that broke off goes on where it was. */
  private async sendPhotos(): Promise<void> {
    const queue = JSON.parse(await this.ground.alone((brain) => brain.photo_queue())) as [string, string][]
    for (const [job, hash] of queue) {
      this.say({ sending: [hash] })
      const bytes = await this.ground.alone((brain) => brain.photo_to_carry(hash))
      const came = await carry_photo(this.ground.hall, job, hash, bytes)
      if (came === 'held') await this.ground.alone((brain) => brain.photo_carried(hash, undefined))
      if (came.startsWith('refused:')) {
        await this.ground.alone((brain) => brain.photo_carried(hash, came.slice('refused:'.length)))
      }
      this.ground.changed()
      if (came === 'stop') break
    }
    this.say({ sending: [] })
  }

  /** What was said to reminders here, perhaps hours ago, is said to the hall; one that it has not begun yet waits. */
  private async answerReminders(): Promise<void> {
    const untold = JSON.parse(await this.ground.alone((brain) => brain.reminder_answers())) as Untold[]
    if (untold.length === 0) return
    const known = await this.ground.hall.reminders()
    for (const { reminder, answer, is_over } of untold) {
      const same = (it: HallReminder) => it.about === reminder.about && it.job === reminder.job && it.due_at === reminder.due_at
      const found = known.find(same)
      if (!found && !is_over) continue
      if (found) {
        try {
          await this.ground.hall.answerReminder(found.id, answer)
        } catch (error) {
          // What the hall will not take it will not take the next time either.
          if (!(error instanceof HallFault) || error.fault !== 'refused') throw error
        }
      }
      await this.ground.alone((brain) => brain.reminder_told(JSON.stringify({ reminder, answer })))
    }
  }

  private say(part: Partial<SyncNews>): void {
    this.news = { ...this.news, ...part }
    this.ground.tell(this.news)
  }
}
