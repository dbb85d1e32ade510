## mail

mail-confirm-subject = [{ $insurer }] Confirm your registration (please complete it within { $life })
mail-confirm-intro = We have received your first-time registration for KENPOS, the health portal of { $insurer }.
mail-confirm-unfinished = Your registration is not complete yet.
mail-confirm-how = Please open the following URL and enter the password that you chose, to complete your registration.
mail-confirm-button = Complete registration
mail-deadline = Valid until: { $deadline } ({ $life })
mail-confirm-expiry = After that the URL no longer works and what you entered is erased; please then start the registration again from the beginning.
mail-unexpected = If you were not expecting this mail, please discard it. Nothing is registered unless the URL is opened.

mail-in-use-subject = [{ $insurer }] About the e-mail address that was entered
mail-in-use-intro = This e-mail address was entered in a first-time registration for KENPOS, the health portal of { $insurer }. It is already registered, so no new registration was made.
mail-in-use-own = If it was you, there is no need to register again: please sign in with your login ID and password. If you have forgotten the password, choose “Forgot your password?” on the sign-in page.
mail-in-use-other = If somebody else, such as a family member, wants to register, please use a different e-mail address.
mail-in-use-unexpected = If it was not you, please discard this mail. Your own registration is unchanged.

mail-completed-subject = [{ $insurer }] Your registration is complete
mail-completed-intro = Your first-time registration for KENPOS, the health portal of { $insurer }, is complete.
mail-completed-next = From now on please sign in with your login ID and the password that you chose.
mail-completed-next-address = This e-mail address is your login ID. From now on please sign in with it and the password that you chose.
mail-completed-unexpected = If you did not make this registration, please contact us at once, as below: we will check with you and stop the account. If you can sign in yourself, you can also stop it on your account page under “Something is not mine”.

mail-automatic = This mail was sent automatically.
mail-phone = Phone:
mail-hours = Hours:
