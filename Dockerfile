FROM node:26.10.0-slim

ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app

COPY package.json package-lock.json .npmrc ./
COPY server/package.json server/
COPY client/package.json client/
RUN npm ci --omit=dev && npm cache clean --force

COPY client/src client/src
COPY server server

USER node
EXPOSE 8000
STOPSIGNAL SIGTERM
# Alive, not ready: an orchestrator restarts what is unhealthy, and that would mend no database.
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 8000}/health/live`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]

CMD ["node", "server/src/main.ts"]
