// Makes the PrometheusRule of k8s/components/monitoring from deploy/monitoring/alerts.yml: kustomize reads no file outside its folder.
import { readFile, writeFile } from 'node:fs/promises';

const root = new URL('../', import.meta.url);
const alerts = await readFile(new URL('deploy/monitoring/alerts.yml', root), 'utf8');
const groups = alerts.slice(alerts.indexOf('groups:')).replaceAll(/^(?=.)/gm, '  ');
const text = `# Made from deploy/monitoring/alerts.yml by \`npm run docs\`: change it there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: async-endpoints
spec:
${groups}`;
await writeFile(new URL('k8s/components/monitoring/prometheus-rule.yaml', root), text);
