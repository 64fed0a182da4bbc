const scheme = matchMedia('(prefers-color-scheme: dark)');
// ReDoc computes its styles once: another scheme needs another start.
scheme.addEventListener('change', () => location.reload());

const sans = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
const mono = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace";

const light = {
  colors: { primary: { main: '#4f46e5' } },
  sidebar: { backgroundColor: '#f6f7fb' },
  rightPanel: { backgroundColor: '#1c2033' },
};

const dark = {
  colors: {
    primary: { main: '#a5a1ff' },
    text: { primary: '#e6e8f2', secondary: '#a2a8bf' },
    gray: { 50: '#1d2130', 100: '#262b3d' },
    border: { light: '#2a2f42', dark: '#3a4058' },
    success: { main: '#4ade80' },
    error: { main: '#f87171' },
    responses: {
      success: { color: '#4ade80', backgroundColor: 'rgba(74, 222, 128, 0.1)' },
      error: { color: '#f87171', backgroundColor: 'rgba(248, 113, 113, 0.1)' },
    },
  },
  schema: {
    nestedBackground: '#181b28',
    linesColor: '#3a4058',
    typeNameColor: '#a2a8bf',
    typeTitleColor: '#a2a8bf',
    requireLabelColor: '#f87171',
    arrow: { color: '#a2a8bf' },
  },
  sidebar: { backgroundColor: '#181b28', textColor: '#e6e8f2', activeTextColor: '#a5a1ff' },
  rightPanel: { backgroundColor: '#0b0d15', textColor: '#e6e8f2' },
  codeBlock: { backgroundColor: '#161a28' },
};

const chosen = scheme.matches ? dark : light;

Redoc.init(
  'openapi.json',
  {
    expandResponses: '200,201',
    requiredPropsFirst: true,
    theme: {
      ...chosen,
      typography: {
        fontFamily: sans,
        fontSize: '15px',
        headings: { fontFamily: sans },
        code: {
          fontFamily: mono,
          ...(scheme.matches && { color: '#f0a8c0', backgroundColor: '#262b3d' }),
        },
        links: scheme.matches ? { color: '#a5a1ff' } : { color: '#4f46e5' },
      },
    },
  },
  document.getElementById('reference'),
);
