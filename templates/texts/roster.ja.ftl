## roster
