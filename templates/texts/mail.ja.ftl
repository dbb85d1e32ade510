## mail

mail-confirm-subject = 【{ $insurer }】初回登録のご確認({ $life }以内にお手続きください)
mail-confirm-intro = { $insurer }の健康ポータル「KENPOS」の初回登録のお手続きを受け付けました。
mail-confirm-unfinished = まだ登録は完了していません。
mail-confirm-how = 次のURLを開き、基本設定で決めたパスワードを入力して、登録を完了してください。
mail-confirm-button = 登録を完了する
mail-deadline = 有効期限:{ $deadline }まで({ $life })
mail-confirm-expiry = 有効期限を過ぎるとURLは無効になり、入力された内容は消去されます。その場合は、お手数ですが初回登録をはじめからやり直してください。
mail-unexpected = このメールにお心当たりのない場合は破棄してください。URLを開かなければ、登録されることはありません。

mail-in-use-subject = 【{ $insurer }】ご入力のメールアドレスについて
mail-in-use-intro = { $insurer }の健康ポータル「KENPOS」の初回登録で、このメールアドレスが入力されました。このメールアドレスはすでに登録されているため、新しい登録は行われていません。
mail-in-use-own = ご本人がお手続きされた場合は、あらためて初回登録をする必要はありません。ご登録のログインIDとパスワードでログインしてください。パスワードをお忘れの場合は、ログイン画面の「パスワードをお忘れの方」からお手続きください。
mail-in-use-other = ご家族など別の方が登録される場合は、別のメールアドレスをお使いください。
mail-in-use-unexpected = お心当たりのない場合は破棄してください。あなたの登録内容は変わっていません。

mail-completed-subject = 【{ $insurer }】初回登録が完了しました
mail-completed-intro = { $insurer }の健康ポータル「KENPOS」の初回登録が完了しました。
mail-completed-next = 次回からは、ログインIDと、ご自分で決めたパスワードでログインしてください。
mail-completed-next-address = このメールアドレスがログインIDです。次回からは、このメールアドレスと、ご自分で決めたパスワードでログインしてください。
mail-completed-unexpected = この登録に身に覚えのない場合は、すぐに下記までご連絡ください。確認のうえ、このアカウントの利用を停止します。ご自身でログインできる場合は、アカウントの画面の「身に覚えのない登録・ログイン」からも停止できます。

mail-automatic = このメールは自動で送信されています。
mail-phone = 電話:
mail-hours = 受付時間:
