// What a built app is besides its code: the list that its service worker keeps, and compressed copies.

import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'
import { compress } from '../../build/compress.ts'

const LIST = '__SHELL__'
const NAME = '__VERSION__'

export function shell(folder: string): Plugin {
  return {
    name: 'shell',
    apply: 'build',
    enforce: 'post',
    writeBundle() {
      const files = readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !/\.(br|gz|map)$/.test(entry.name))
        .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
        .sort()
      const kept = files.filter((file) => file !== 'sw.js')
      const hash = createHash('sha256')
      for (const file of kept) hash.update(file).update(readFileSync(join(folder, file)))
      const version = hash.digest('hex').slice(0, 12)
      const worker = join(folder, 'sw.js')
      const list = JSON.stringify(kept.map((file) => (file === 'index.html' ? './' : file)))
      const code = readFileSync(worker, 'utf8').replaceAll(`"${LIST}"`, list).replaceAll(`\`${LIST}\``, list)
      writeFileSync(worker, code.replaceAll(`'${LIST}'`, list).replaceAll(NAME, version))
      for (const file of files) compress(join(folder, file))
    },
  }
}
