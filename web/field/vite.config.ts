import { resolve } from 'node:path'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'
import { words } from '../build/catalogue.ts'
import { shell } from './build/shell.ts'

const here = import.meta.dirname
const folder = resolve(here, '../../target/web/m')

export default defineConfig({
  root: here,
  base: '/m/',
  logLevel: 'warn',
  plugins: [vue(), words(resolve(here, '../../domain/catalogue.toml'), /^(desk|own|factor|erase|person|leak|remind|case|counter|application|circumstance|lack|answered|ledger|plan|figures|admin|import|export|day|watch|punctuality|told|outage|track|due|doors|twice|holiday|law|doubt)\./), shell(folder)],
  define: { __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false' },
  worker: { format: 'es' },
  build: {
    outDir: folder,
    emptyOutDir: true,
    target: ['chrome96', 'safari15.4'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      checks: { pluginTimings: false },
      input: { index: resolve(here, 'index.html'), sw: resolve(here, 'src/sw.ts') },
      output: { entryFileNames: (chunk) => (chunk.name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js') },
    },
  },
})
