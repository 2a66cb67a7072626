import { writeFileSync } from 'node:fs';
import { schemaSql } from './migrate.js';
it('x', () => writeFileSync('/tmp/schema.sql', schemaSql('ae')));
