// The open stream: what the technician has to hear, at once, and that there is something to exchange.

import type { Hall } from './hall'
import type { Notice } from './protocol'

const FIRST_AGAIN_MS = 1_000
const LONGEST_AGAIN_MS = 60_000
/** The hall signs every twenty seconds: a stream that is still so long is dead. */
const STILL_MS = 50_000

export interface Listener {
  hall: Hall
  notice(notice: Notice): void
  /** Something is to be exchanged. */
  feed(): void
  open(isOpen: boolean): void
}

export class Notices {
  private stopped = new AbortController()
  private failures = 0

  constructor(private readonly to: Listener) {
    void this.follow()
  }

  stop(): void {
    this.stopped.abort()
  }

  private async follow(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      await this.once().catch(() => undefined)
      this.to.open(false)
      this.failures += 1
      const ms = Math.min(FIRST_AGAIN_MS * 2 ** (this.failures - 1), LONGEST_AGAIN_MS)
      // Never at the same moment as everybody else.
      await new Promise((resolve) => setTimeout(resolve, ms * (0.5 + Math.random() / 2)))
    }
  }

  /** Ends when the stream does. */
  private async once(): Promise<void> {
    const still = new AbortController()
    let timer = setTimeout(() => still.abort(), STILL_MS)
    try {
      const reader = await this.to.hall.listen(AbortSignal.any([this.stopped.signal, still.signal]))
      const decoder = new TextDecoder()
      let rest = ''
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return
        clearTimeout(timer)
        timer = setTimeout(() => still.abort(), STILL_MS)
        const events = (rest + decoder.decode(value, { stream: true })).split('\n\n')
        rest = events.pop() ?? ''
        for (const event of events) this.hear(event)
      }
    } finally {
      clearTimeout(timer)
    }
  }

  private hear(event: string): void {
    const field = (name: string) => event.split('\n').find((line) => line.startsWith(name))?.slice(name.length).trim()
    const name = field('event:')
    if (name === 'hello') {
      this.failures = 0
      this.to.open(true)
    } else if (name === 'feed') {
      this.to.feed()
    } else if (name === 'notice') {
      this.to.feed()
      this.to.notice(JSON.parse(field('data:') ?? '{}') as Notice)
    }
  }
}
