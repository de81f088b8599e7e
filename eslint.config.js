import tseslint from 'typescript-eslint';

/** Import rules that keep the data path one-directional (docs/architecture.md). */
const restrict = (files, patterns) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { patterns }] },
});
const ORT = {
  regex: '^onnxruntime-node$',
  message: 'Sessions live in lanes only: executor/worker is the one importer.',
};
const TELEMETRY = {
  regex: '^(prom-client|pino|pino-pretty)$|^@opentelemetry/',
  message: 'Only telemetry/ imports these.',
};
const DEEP_BATCHER = { regex: 'batcher/', message: 'Enter the batcher as "#batcher" only.' };

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'bench/models/', 'models/'] },
  ...tseslint.configs.strictTypeChecked.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
        { selector: 'PropertyDefinition[accessibility="private"]', message: 'Use #private.' },
      ],
    },
  },
  restrict(['src/**/*.ts'], [ORT, TELEMETRY, DEEP_BATCHER]),
  restrict(['src/telemetry/**/*.ts'], [ORT, DEEP_BATCHER]),
  restrict(['src/executor/worker.ts'], [TELEMETRY, DEEP_BATCHER]),
  restrict(
    ['batcher/**/*.ts'],
    [{ regex: '^(?!\\./)', message: 'The batcher imports nothing outside of itself.' }],
  ),
  { files: ['test/**/*.ts'], rules: { '@typescript-eslint/no-non-null-assertion': 'off' } },
);
