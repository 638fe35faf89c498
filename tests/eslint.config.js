// The linter's rules for the page: what the type checker does not see. Run from the top: eslint --config tests/eslint.config.js web
import js from '@eslint/js';

const BROWSER = ['AbortController', 'AbortSignal', 'addEventListener', 'clearInterval', 'clearTimeout', 'console', 'CustomEvent', 'customElements', 'document', 'DOMException',
  'Element', 'Event', 'EventSource', 'EventTarget', 'fetch', 'history', 'HTMLAnchorElement', 'HTMLButtonElement', 'HTMLElement', 'HTMLInputElement', 'HTMLSelectElement',
  'innerHeight', 'innerWidth', 'localStorage', 'location', 'matchMedia', 'MediaError', 'navigator', 'Node', 'performance', 'removeEventListener', 'requestAnimationFrame', 'requestIdleCallback', 'ResizeObserver',
  'scrollTo', 'scrollY', 'setInterval', 'setTimeout', 'structuredClone', 'TextDecoder', 'URL', 'URLSearchParams', 'WebSocket', 'window', 'HTMLTableRowElement', 'cancelAnimationFrame',
  'dispatchEvent', 'queueMicrotask', 'IntersectionObserver', 'MutationObserver', 'sessionStorage', 'Response', 'MessageEvent', 'CloseEvent', 'getComputedStyle', 'HTMLDialogElement'];

export default [
  { ignores: ['**/node_modules/**', 'build/**'] },
  js.configs.recommended,
  {
    files: ['web/**/*.js'],
    languageOptions: { ecmaVersion: 2024, sourceType: 'module', globals: Object.fromEntries(BROWSER.map((name) => [name, 'readonly'])) },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // Names from a disk hold any character, and are looked for by it.
      'no-control-regex': 'off',
      'no-unused-vars': ['error', { args: 'all', argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      'array-callback-return': 'error',
      'consistent-return': 'off',
      curly: ['error', 'multi-line'],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'max-lines': ['error', 420],
      'max-lines-per-function': ['error', { max: 70, IIFEs: true }],
      'no-alert': 'error',
      'no-console': 'error',
      'no-else-return': 'off',
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-new-func': 'error',
      'no-param-reassign': 'error',
      'no-restricted-properties': ['error',
        ...['innerHTML', 'outerHTML'].map((property) => ({ property, message: 'Text of the server is text: make elements with el().' })),
        ...['insertAdjacentHTML', 'write', 'writeln', 'setHTMLUnsafe', 'parseFromString'].map((property) => ({ property, message: 'Text of the server is text: make elements with el().' }))],
      'no-restricted-syntax': ['error',
        { selector: 'AssignmentExpression[left.property.name=/^(inner|outer)HTML$/]', message: 'Text of the server is text: make elements with el().' },
        { selector: 'CallExpression[callee.property.name="setAttribute"][arguments.0.value=/^(style|on.*)$/]', message: 'The security policy forbids it: set the property.' }],
      'no-shadow': 'error',
      'no-template-curly-in-string': 'error',
      'no-throw-literal': 'error',
      'no-unreachable-loop': 'error',
      'no-use-before-define': ['error', { functions: false, classes: true, variables: false }],
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      'require-atomic-updates': 'off',
    },
  },
];
