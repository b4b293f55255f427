// node index.js defaults|hardened intake|worker, or migrate
import { serve } from './intake.js';
import { migrate } from './store.js';

const [variant, role] = process.argv.slice(2);
if (variant === 'migrate') {
  await migrate();
} else {
  const { open, work } = await import(`./${variant}.js`);
  if (role === 'intake') serve(open());
  else work();
}
