// node index.js defaults|hardened intake|worker, or migrate. The event, the intake and the store are those of ../bullmq.
import PgBoss from 'pg-boss';
import { serve } from './intake.js';
import { migrate } from './store.js';

const [variant, role] = process.argv.slice(2);
if (variant === 'migrate') {
  await migrate();
  const boss = new PgBoss(process.env.DATABASE_URL);
  await boss.start();
  await boss.createQueue('events');
  await boss.stop({ wait: true });
} else {
  const { open, work } = await import(`./${variant}.js`);
  if (role === 'intake') serve(await open());
  else await work();
}
