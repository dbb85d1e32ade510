## Documents that changed, login IDs that changed, registrations by somebody else

documents-new-title = 新しい文書への同意
documents-new-lead = 「個人情報の取り扱いについて」または「会員利用規約について」が新しくなりました。続けてご利用いただくには、内容をお読みになり、同意いただける場合はチェックを入れてください。
documents-new-next = 同意して進む
documents-new-decline = 同意されない場合は、このままログアウトしてください。同意いただくまで、サービスはご利用いただけません。
documents-new-logout = 同意せずにログアウトする

new-login-id-title = ログインIDが変わります
new-login-id-email-lead = 任意継続被保険者または被扶養者の方のログインIDは、メールアドレスです。次のメールアドレスが、これからのログインIDになります。パスワードは変わりません。
new-login-id-number-lead = 一般被保険者の方のログインIDは、記号・番号から作られます。次の番号が、これからのログインIDになります。パスワードは変わりません。
new-login-id-label = これからのログインID
new-login-id-until = 「新しいログインIDを使う」を押すか、新しいログインIDで一度ログインすると、切り替わります。それまでは、これまでのログインIDでもログインできます。切り替わったあとは、新しいログインIDだけでログインします。
new-login-id-take = 新しいログインIDを使う
new-login-id-later = あとで切り替える
new-login-id-other-address = 別のメールアドレスにする場合は、先にアカウントの画面でメールアドレスを変更してください。

not-mine-title = 身に覚えのない登録
not-mine-lead = 登録のお手続きに心当たりがないときは、ここで登録を止めることができます。ご本人が登録された場合は、何もせずにこの画面を閉じてください。
not-mine-what = 止めると
not-mine-what-registration = お手続き中の登録は無効になり、メールのURLも使えなくなります。
not-mine-what-account = すでに登録されたアカウントは停止し、すべてのログインとアプリの利用がすぐに終了します。
not-mine-what-office = 事務局が確認するまで、どなたも登録やログインができなくなります。
not-mine-stop = 登録を止めて知らせる
not-mine-dead-title = このURLは使えません
not-mine-dead-lead = URLの有効期限が過ぎたか、すでにお手続きが済んでいます。登録に心当たりがない場合は、事務局へご連絡ください。
not-mine-done-title = 登録を止めました
not-mine-done-lead = お手続き中の登録は無効になり、アカウントがある場合は停止しました。すべてのログインを終了しました。
not-mine-done-next = 登録や再開には、事務局での確認が必要です。お手数ですが、事務局へご連絡ください。

done-sign-in = ログインIDと、ご自分で決めたパスワードでログインしてください。
done-to-login = ログインページへ

account-grace = 加入資格は終了しています。{ $until }まではご利用いただけます。必要な記録は、それまでにご確認ください。
account-history-times = { $count }回(1時間以内)

mail-registration-began-subject = 【{ $insurer }】初回登録のお手続きが始まりました
mail-registration-began-intro = { $insurer }の健康ポータル「KENPOS」で、あなたの初回登録のお手続きが始まりました。このメールは、健康保険組合にお届けのメールアドレスにお送りしています。
mail-registration-began-unexpected = お手続きに心当たりのない場合は、次のURLから登録を止めてください。
mail-registration-ended-subject = 【{ $insurer }】初回登録のお手続きが完了しました(お知らせ)
mail-registration-ended-intro = { $insurer }の健康ポータル「KENPOS」で、あなたの初回登録が完了しました。このメールは、健康保険組合にお届けのメールアドレスにお送りしています。
mail-registration-ended-unexpected = 登録に心当たりのない場合は、次のURLからアカウントを停止してください。
mail-registration-mine = ご本人のお手続きであれば、何もする必要はありません。
mail-registration-not-mine = 身に覚えのない登録

mail-unfrozen-subject = 【{ $insurer }】アカウントの利用を再開しました
mail-unfrozen-intro = { $insurer }の健康ポータル「KENPOS」のアカウントは、事務局での確認が済み、再びご利用いただけます。これまでのログインIDとパスワードでログインしてください。
mail-deleted-subject = 【{ $insurer }】退会の手続きが完了しました
mail-deleted-intro = 申請に基づき、{ $insurer }の健康ポータル「KENPOS」のアカウントを削除しました。メールアドレス、氏名、パスワード、配信設定、アプリの許可は消去され、ログインはできません。
mail-deleted-kept = 加入者の台帳は法令に基づき健康保険組合が保管します。規約への同意と操作の記録は、法令の定めや後日の確認のために保管します。
mail-deletion-dismissed-subject = 【{ $insurer }】退会の申請について
mail-deletion-dismissed-intro = { $insurer }の健康ポータル「KENPOS」の退会の申請は、事務局での確認の結果、取り下げの扱いとなりました。アカウントはこれまでどおりご利用いただけます。
mail-deletion-dismissed-next = ご不明の点は、下記の事務局へお問い合わせください。
