// Usage: node people.js extension app.db, with the key in APP_KEY
const Database = require("better-sqlite3");

const [extension, file] = process.argv.slice(2);
const db = new Database(file);
db.loadExtension(extension);
db.prepare("SELECT sealite_unlock('env:APP_KEY')").get();

const insert = db.prepare("INSERT INTO people (email, name) VALUES (?, ?)");
const { lastInsertRowid } = db.transaction(() => insert.run("Bob@example.org", "Bob"))();
const bob = db.prepare("SELECT id, name FROM people WHERE email = ?").get("bob@example.org");
console.log(lastInsertRowid === bob.id, bob.name);
try {
  insert.run("bob@EXAMPLE.org", "Bob again");
} catch (error) {
  console.log(error.code, error.message);
}
db.close();
