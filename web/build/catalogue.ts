// The catalogue's sentences that a face says, as a module: one file for server, phone and screens.

import { readFileSync } from 'node:fs'
import { parse } from 'smol-toml'
import type { Plugin } from 'vite'

const MODULE = 'virtual:words'

type Entry = { zh: string; en: string }

/** Leaves out what only others say. */
export function words(file: string, others: RegExp): Plugin {
  return {
    name: 'words',
    resolveId: (id) => (id === MODULE ? `\0${MODULE}` : undefined),
    load(id) {
      if (id !== `\0${MODULE}`) return undefined
      this.addWatchFile(file)
      const all = Object.entries(parse(readFileSync(file, 'utf8')) as Record<string, Entry>)
      const said = all.filter(([key]) => !others.test(key))
      const pairs = Object.fromEntries(said.map(([key, { zh, en }]) => [key, [zh, en]]))
      return `export default ${JSON.stringify(pairs)}`
    },
  }
}
