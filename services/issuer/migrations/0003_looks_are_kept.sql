-- expand: the service may add looks at keys, and neither edit nor delete them; `hosho migrate` reads the comment.
comment on table auth_key_reveal is 'insert only: who looked at a key stays known';
