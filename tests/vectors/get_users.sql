SELECT "id", "id", sealed, "role", "plan", "email_bidx" FROM "users_sealed" WHERE "id" = ?1
