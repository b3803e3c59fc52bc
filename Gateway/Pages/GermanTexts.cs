using System.Globalization;
using Signup.EventLog.Accounts;
using Signup.Gateway.Accounts;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;

namespace Signup.Gateway.Pages;

internal sealed class GermanTexts : Texts
{
    private static readonly CultureInfo Culture = CultureInfo.GetCultureInfo("de-DE");

    public override string Language => "de";
    public override string Moment(DateTimeOffset at) => at.UtcDateTime.ToString("d. MMMM yyyy, HH:mm 'UTC'", Culture);

    public override string Brand => "Signup";
    public override string SkipToContent => "Zum Inhalt";
    public override string Footer => "Wir brauchen Ihre Adresse für Ihr Konto, und für nichts sonst.";
    public override string ErrorPrefix => "Fehler: ";

    public override string SignUpTitle => "Konto anlegen";
    public override string SignUpLead => "Es dauert eine Minute. Wir brauchen alle drei Angaben.";
    public override string StepsTitle => "So geht es";
    public override string Step1 => "Formular ausfüllen";
    public override string Step1Text => "Ein Name, eine E-Mail-Adresse, ein Passwort.";
    public override string Step2 => "Unsere Mail öffnen";
    public override string Step2Text => "Wir senden einen Link an Ihre Adresse, meist binnen Sekunden.";
    public override string Step3 => "Auf den Knopf drücken";
    public override string Step3Text => "Der Link öffnet eine Seite mit einem Knopf. Das ist alles.";
    public override string Username => "Benutzername";
    public override string UsernameHint => "So nennen wir Sie. Andere dürfen auch so heißen.";
    public override string Email => "E-Mail-Adresse";
    public override string EmailHint => "Dorthin senden wir den Link zum Aktivieren.";
    public override string Password => "Passwort";
    public override string PasswordHint => "Mindestens 8 Zeichen. Gut sind einige Wörter.";
    public override string ShowPassword => "Zeigen";
    public override string HidePassword => "Verbergen";
    public override string SignUpButton => "Konto anlegen";
    public override string Sending => "Einen Moment…";
    public override string Problems(int count) => count == 1 ? "Bitte berichtigen Sie eine Angabe" : $"Bitte berichtigen Sie {count} Angaben";

    protected override string Of(string field, Fault fault) => (field, fault) switch
    {
        (Field.Username, SigningUp.Fault.Blank) => "Geben Sie einen Benutzernamen ein.",
        (Field.Email, SigningUp.Fault.Blank) => "Geben Sie Ihre E-Mail-Adresse ein.",
        (Field.CurrentPassword, SigningUp.Fault.Blank) => "Geben Sie Ihr jetziges Passwort ein.",
        (_, SigningUp.Fault.Blank) => "Geben Sie ein Passwort ein.",
        (Field.Username, SigningUp.Fault.TooLong) => $"Geben Sie einen Benutzernamen mit höchstens {Limits.Username} Zeichen ein.",
        (_, SigningUp.Fault.TooLong) => $"Geben Sie eine E-Mail-Adresse mit höchstens {Limits.Email} Zeichen ein.",
        (Field.Username, SigningUp.Fault.ControlCharacter) => "Geben Sie den Benutzernamen in einer Zeile und ohne Steuerzeichen ein.",
        (_, SigningUp.Fault.Invisible) => "Geben Sie einen Benutzernamen ohne unsichtbare Zeichen am Anfang und am Ende ein.",
        (Field.Email, SigningUp.Fault.ControlCharacter) => "Geben Sie die E-Mail-Adresse in einer Zeile und ohne Steuerzeichen ein.",
        (_, SigningUp.Fault.ControlCharacter) => "Geben Sie das Passwort in einer Zeile und ohne Steuerzeichen ein.",
        (_, SigningUp.Fault.NotAnAddress) => "Geben Sie eine E-Mail-Adresse wie name@example.com ein.",
        (_, SigningUp.Fault.PasswordTooShort) => $"Geben Sie ein Passwort mit mindestens {Passwords.Password.MinLength} Zeichen ein.",
        (_, SigningUp.Fault.PasswordTooLong) => $"Geben Sie ein Passwort mit höchstens {Passwords.Password.MaxLength} Zeichen ein.",
        (_, SigningUp.Fault.PasswordIsOwn) => "Ihren Namen und Ihre Adresse probieren Angreifer als erstes. Wählen Sie ein anderes Passwort.",
        (_, SigningUp.Fault.PasswordTooCommon) => "Dieses Passwort probieren Angreifer als eines der ersten. Wählen Sie ein anderes.",
        _ => $"Senden Sie „{field}“ einmal, als Text.",
    };

    public override string EmailTaken => "Mit dieser E-Mail-Adresse gibt es schon ein Konto. Ist es Ihres, melden Sie sich an, oder suchen Sie unsere Mail in Ihrem Postfach; sonst nehmen Sie eine andere.";
    public override string OtherTaken(string what) => $"Diese Angabe ({what}) ist schon vergeben. Wählen Sie eine andere.";
    public override string FormTooOld => "Wir konnten nicht feststellen, ob dieses Formular von uns kam. Bitte erlauben Sie dieser Seite Cookies, geben Sie Ihr Passwort erneut ein und senden Sie das Formular noch einmal.";
    public override string FormUsed => "Dieses Formular wurde schon einmal mit anderen Angaben gesendet; damals wurde ein Konto angelegt. Um ein weiteres anzulegen, geben Sie ein Passwort ein und senden Sie es noch einmal.";
    public override string Refused => "Wir konnten diese Angaben nicht annehmen. Bitte prüfen Sie sie und senden Sie das Formular noch einmal.";
    public override string TooManySignUps(long seconds) => $"Aus Ihrem Netz kamen zu viele Registrierungen. Bitte versuchen Sie es in {Seconds(seconds)} wieder.";
    public override string Unavailable => "Wir können im Moment keine Registrierungen annehmen. Es wurde nichts gespeichert; bitte versuchen Sie es in einigen Sekunden wieder.";
    public override string Busy(long seconds) => $"Im Moment registrieren sich mehr Menschen, als wir annehmen können. Es wurde nichts gespeichert; bitte versuchen Sie es in {Seconds(seconds)} wieder.";

    public override string DecidingTitle => "Ihre Registrierung wird bearbeitet";
    public override string Deciding => "Es dauert etwas länger als sonst. Diese Seite lädt sich selbst neu.";
    public override string DecidingLong => "Es dauert viel länger als sonst. Sie brauchen hier nicht zu warten: Sobald es Ihr Konto gibt, kommt unsere Mail an Ihre Adresse. Ist in einer Stunde keine gekommen, registrieren Sie sich bitte noch einmal. Zwei Konten bekommt dadurch niemand.";
    public override string RefusedTitle(string reason) => reason == "email-taken" ? "Es gab schon ein Konto" : "Diese Registrierung wurde nicht angenommen";
    public override string RefusedLate(string reason) => reason switch
    {
        "email-taken" => "Jemand hat sich mit dieser E-Mail-Adresse schon registriert; jetzt wurde kein Konto angelegt. Nehmen Sie eine andere, oder suchen Sie unsere Mail in Ihrem Postfach.",
        AccountView.KeyReused => "Dieses Formular wurde schon einmal mit anderen Angaben gesendet; damals wurde ein Konto angelegt. Für ein weiteres füllen Sie bitte das Formular noch einmal aus.",
        AccountView.Invalid => Refused,
        _ => OtherTaken(reason[..^"-taken".Length]),
    };
    public override string ByMail => "Eine Mail an die Adresse, die Sie angegeben haben, sagt, wie es weitergeht. Ob es mit ihr schon ein Konto gibt, sagen wir sonst niemandem, und auch hier nicht. Kommt in einigen Minuten keine, so sehen Sie im Spam-Ordner nach, und registrieren Sie sich noch einmal mit der richtigen Adresse.";
    public override string PendingTitle => "Sehen Sie in Ihr Postfach";
    public override string Pending => "Öffnen Sie den Link in unserer Mail und drücken Sie dort auf den Knopf. Dann ist Ihr Konto aktiv.";
    public override string ActiveTitle => "Ihr Konto ist aktiv";
    public override string Active => "Danke, Ihre Adresse ist bestätigt. Sie können sich jetzt anmelden.";
    public override string ExpiredTitle => "Diese Registrierung ist abgelaufen";
    public override string Expired => "Niemand hat die Adresse rechtzeitig bestätigt; sie ist wieder frei. Registrieren Sie sich gern noch einmal.";
    public override string DeletedTitle => "Dieses Konto wurde gelöscht";
    public override string Deleted => "Seine Adresse ist wieder frei.";
    public override string Status => "Stand";
    public override string StatusOf(string status) => status switch
    {
        "deciding" => "In Bearbeitung",
        "pending" => "Wartet auf Bestätigung",
        "active" => "Aktiv",
        "expired" => "Abgelaufen",
        "deleted" => "Gelöscht",
        _ => status,
    };
    public override string Mail => "Aktivierungsmail";
    public override string MailQueued => "Unterwegs";
    public override string MailSent(string moment) => $"Gesendet am {moment}";
    public override string MailDelivered(string moment) => $"Angekommen am {moment}";
    public override string MailFailedTitle(MailView mail) => mail switch
    {
        { State: MailView.Complained } => "Unsere Mail war unerwünscht",
        { State: MailView.Bounced } => "Unsere Mail kam zurück",
        { Reason: "unconfirmed" } => "Unsere Mail kam vielleicht nicht an",
        _ => "Unsere Mail konnte nicht zugestellt werden",
    };
    public override string MailFailedText(MailView mail) => mail switch
    {
        { State: MailView.Complained } => "Wer an dieser Adresse Mails liest, hat unsere als unerwünscht gemeldet; wir senden deshalb nichts mehr dorthin. Ist die Adresse falsch, ändern Sie sie unten. Ist es Ihre, gilt der Link in der Mail weiterhin.",
        { Reason: "unconfirmed" } => "Die Verbindung brach jedes Mal ab, während wir sie sendeten; wir wissen also nicht, ob sie ankam. Bitte sehen Sie in Ihr Postfach und in den Spam-Ordner; der Link darin gilt.",
        { Reason: "provider-refused" } => "Das liegt nicht an Ihnen: Unsere Mail wurde nicht angenommen. Bitte fordern Sie sie unten noch einmal an, oder nehmen Sie eine andere Adresse.",
        { Reason: "blocked" } => "Der Mailserver dieser Adresse wollte sie nicht annehmen. Das muss nicht an Ihnen liegen: Fordern Sie sie unten noch einmal an, oder nehmen Sie eine andere Adresse.",
        { Reason: "unreachable" } => "Der Mailserver dieser Adresse nahm sie nicht an. Stimmt die Adresse, fordern Sie die Mail unten noch einmal an; sonst ändern Sie sie dort.",
        { Reason: "mailbox-full" } => "Das Postfach ist voll. Sobald Platz ist, fordern Sie die Mail unten noch einmal an.",
        { Reason: "international-address-unsupported" } => "Unser Mailsystem kann an eine Adresse dieser Art noch nicht schreiben. Bitte nehmen Sie eine andere.",
        _ => "Bitte prüfen Sie die Adresse. Ist sie falsch, ändern Sie sie unten.",
    };
    public override string ResendTitle => "Keine Mail?";
    public override string ResendText => "Sehen Sie zuerst im Spam-Ordner nach. Wir können sie auch noch einmal senden, mit demselben Link.";
    public override string ResendFailedTitle => "Noch einmal";
    public override string ResendFailedText => "Wir können die Mail noch einmal senden, mit demselben Link.";
    public override string ResendButton => "Mail noch einmal senden";
    public override string MailComing => "Wir senden die Mail noch einmal.";
    public override string MailComingIfAny => "Wartet ein Konto mit dieser Adresse auf die Aktivierung, so kommt seine Mail noch einmal, falls darum nicht zu oft gebeten wurde.";
    public override string MailStillComing => "Unsere Mail ist schon unterwegs.";
    public override string CorrectTitle => "Adresse berichtigen";
    public override string CorrectText => "Alles andere bleibt, wie Sie es eingegeben haben, und die Mail geht an die neue Adresse. Links, die wir vorher gesendet haben, gelten dann nicht mehr.";
    public override string CorrectButton => "Adresse ändern";
    public override string Correcting => "Ihre Adresse wird geändert. Es dauert etwas länger als sonst. Diese Seite lädt sich selbst neu.";
    public override string CorrectionTaken => "Mit der Adresse, die Sie angegeben haben, gibt es schon ein Konto; die Adresse wurde deshalb nicht geändert. Bitte nehmen Sie eine andere.";
    public override string CorrectionUnavailable => "Die Adresse ließ sich gerade nicht ändern. Bitte versuchen Sie es in einigen Sekunden noch einmal.";
    public override string NotCorrectableTitle => "Die Adresse bleibt";
    public override string NotCorrectable => "Die Adresse lässt sich hier nur ändern, wenn unsere Mail nicht zugestellt werden konnte. Ist sie falsch, registrieren Sie sich bitte mit der richtigen.";
    public override string TooManyMails(long seconds) => $"Wir haben die Mail schon gesendet. Sie können in {Seconds(seconds)} wieder darum bitten.";
    public override string ResendUnavailable => "Wir können die Mail im Moment nicht noch einmal senden. Bitte versuchen Sie es in einigen Sekunden wieder.";
    public override string SignUpAgain => "Noch einmal registrieren";
    public override string RefreshButton => "Neu laden";
    public override string StatusUnavailableTitle => "Wir können Ihr Konto gerade nicht zeigen";
    public override string StatusUnavailable => "Ihr Konto ist sicher. Nur diese Seite lässt sich im Moment nicht zeigen; bitte versuchen Sie es in einigen Sekunden wieder.";
    public override string AccountNotFound => "Hier gibt es nichts zu sehen. Ein Konto zeigen wir nur dem Browser, mit dem es angelegt wurde, oder wer dessen Status-Token sendet.";

    public override string SignInTitle => "Anmelden";
    public override string SignInButton => "Anmelden";
    public override string SignInWrongTitle => "Nicht angemeldet";
    public override string SignInWrong => "Kein Konto hat diese E-Mail-Adresse zusammen mit diesem Passwort. Bitte prüfen Sie beides; beim Passwort zählt Groß- und Kleinschreibung.";
    public override string ActivateFirst => "Haben Sie sich gerade erst registriert, so öffnen Sie zuerst den Link in unserer Mail.";
    public override string SignInUnavailable => "Wir können Sie im Augenblick nicht anmelden. Bitte versuchen Sie es in einigen Sekunden noch einmal.";
    public override string NoAccountYet => "Noch kein Konto?";
    public override string AccountAlready => "Sie haben schon ein Konto?";
    public override string OwnAccountTitle => "Ihr Konto";
    public override string SignOutButton => "Abmelden";
    public override string SignOutEverywhereTitle => "Auch anderswo angemeldet?";
    public override string SignOutEverywhereText => "Zum Beispiel auf einem Gerät, das Sie verloren haben, oder wo Sie vergessen haben, sich abzumelden. Dies beendet alles, auch hier.";
    public override string SignOutEverywhereButton => "Überall abmelden";
    public override string SignedOutHere => "Sie sind abgemeldet.";
    public override string SignedOutEverywhere => "Sie sind überall abgemeldet.";
    public override string SigningOutTitle => "Sie werden überall abgemeldet";
    public override string SigningOut => "In diesem Browser sind Sie abgemeldet. Anderswo dauert es etwas länger als sonst; es ist bei uns sicher, und Sie müssen nichts weiter tun.";
    public override string SignOutUnavailable => "In diesem Browser sind Sie abgemeldet. Die Sitzung selbst konnten wir im Augenblick nicht beenden; falls jemand anderes ihr Token haben könnte, melden Sie sich wieder an und dann überall ab.";
    public override string SignOutEverywhereUnavailable => "Wir können Sie im Augenblick nicht überall abmelden. Es wurde nichts geändert; bitte versuchen Sie es in einigen Sekunden noch einmal.";
    public override string NotSignedInTitle => "Nicht angemeldet";
    public override string NotSignedIn => "Melden Sie sich mit POST /sessions an, und senden Sie das Token aus der Antwort als Bearer-Token. Eine Sitzung endet nach einiger Zeit, oder wenn sie abgemeldet wird.";
    public override string TooManySignIns(long seconds) => $"Zu viele Versuche. Bitte versuchen Sie es in {Seconds(seconds)} noch einmal.";
    public override string SignInForApplication(string name) => $"Danach geht es weiter zu {name}.";
    public override string LetInTitle(string name) => $"Weiter zu {name}?";
    public override string LetInLead(string name) => $"{name} möchte Sie mit Ihrem Konto hier einlassen und erfährt dies darüber. Ihr Passwort bleibt hier.";
    public override string LetInAccount => "Konto";
    public override string LetInNumber => "eine Nummer, immer dieselbe";
    public override string LetInButton => "Weiter";
    public override string CancelButton => "Abbrechen";
    public override string SignedInAs => "Sie sind angemeldet als";
    public override string AnotherAccount => "Ein anderes Konto nehmen";
    public override string CannotLetInTitle => "Diese Anwendung kann Sie nicht einlassen";
    public override string CannotLetIn(string fault) => $"Sie hat Sie mit einer Anfrage hierher gesendet, die wir nicht annehmen. Wer sie gemacht hat, kann das beheben; melden Sie dort dies: {fault}";

    public override string ChangeEmailTitle => "Adresse ändern";
    public override string ChangeEmailLead(long seconds) => $"Wir senden einen Link an die neue Adresse. Sobald er dort geöffnet und der Knopf gedrückt wird, ist sie die Ihre; der Link gilt {Seconds(seconds)} lang. Bis dahin bleibt alles, wie es ist.";
    public override string ChangeEmailButton => "Link senden";
    public override string PresentEmail => "Jetzige E-Mail-Adresse";
    public override string NewEmail => "Neue E-Mail-Adresse";
    public override string EmailChangeAsked => "Ein Link ist unterwegs an die neue Adresse. Öffnen Sie ihn dort, um sie zu ändern. Kommt keiner, so sehen Sie in Ihren Spam-Ordner, und prüfen Sie die Adresse. Bis dahin bleibt alles, wie es ist.";
    public override string SameEmail => "Diese Adresse hat Ihr Konto schon.";
    public override string OtherEmailTaken => "Mit dieser E-Mail-Adresse gibt es schon ein Konto, oder jemand ist dabei, sie zu bekommen. Bitte nehmen Sie eine andere.";
    public override string NotActiveTitle => "Ihr Konto ist noch nicht aktiv";
    public override string NotActive => "Bitte öffnen Sie zuerst den Link in unserer Mail an seine Adresse. Ist die falsch, so registrieren Sie sich mit der richtigen.";
    public override string TooManyEmailChanges => "Für dieses Konto wurden so viele Links verschickt, dass wir jetzt keinen weiteren senden. Bitte benutzen Sie den letzten, oder versuchen Sie es später noch einmal.";
    public override string ConfirmEmailTitle => "Bestätigen Sie Ihre neue E-Mail-Adresse";
    public override string ConfirmEmail => "Noch ein Klick, und Ihr Konto hat die Adresse, an die dieser Link ging.";
    public override string ConfirmEmailButton => "Diese Adresse verwenden";
    public override string EmailChangedTitle => "Ihre E-Mail-Adresse ist geändert";
    public override string EmailChanged => "Von nun an melden Sie sich mit ihr an, und Mails zu Ihrem Konto gehen dorthin.";
    public override string EmailLinkExpired => "Bitte fordern Sie in Ihrem Konto einen neuen an; seine Adresse ist, wie sie war.";
    public override string EmailLinkOutdated => "Nachdem er verschickt war, wurde eine andere Adresse gewünscht oder das Passwort geändert. Ihr Konto sagt, welche Adresse es hat.";
    public override string EmailTakenMeanwhile => "Inzwischen hat jemand anderes ein Konto mit dieser Adresse. Ihres behält die, die es hat.";
    public override string ForgotPassword => "Passwort vergessen?";
    public override string ForgotPasswordTitle => "Passwort vergessen";
    public override string ForgotPasswordLead => "Geben Sie die E-Mail-Adresse Ihres Kontos an. Wir senden einen Link dorthin, mit dem Sie ein neues Passwort wählen.";
    public override string ForgotPasswordButton => "Link senden";
    public override string ResetMailComingTitle => "Sehen Sie in Ihre Mail";
    public override string ResetMailComing(long seconds) => $"Gibt es ein Konto mit dieser Adresse, so ist ein Link dorthin unterwegs, mit dem Sie ein neues Passwort wählen. Er gilt {Seconds(seconds)} lang, und nur ein Mal. Kommt keiner, so sehen Sie in Ihren Spam-Ordner, und prüfen Sie die Adresse.";
    public override string ChoosePasswordTitle => "Neues Passwort wählen";
    public override string ChoosePasswordLead => "Wer in Ihrem Konto angemeldet ist, auf welchem Gerät auch immer, wird dadurch abgemeldet.";
    public override string ChoosePasswordButton => "Passwort setzen";
    public override string PasswordReset => "Ihr Passwort ist geändert. Melden Sie sich mit dem neuen an.";
    public override string ResetLinkExpired => "Bitte fordern Sie einen neuen an. Ihr Passwort ist, wie es war.";
    public override string ResetLinkUsed => "Er wurde schon benutzt, oder Passwort oder Adresse wurden seither geändert. Waren Sie das, so melden Sie sich an; wenn nicht, so fordern Sie einen neuen Link an.";
    public override string NewLinkButton => "Neuen Link anfordern";
    public override string ChangePasswordTitle => "Passwort ändern";
    public override string ChangePasswordLead => "Hier bleiben Sie angemeldet. Wer anderswo angemeldet ist, wird abgemeldet.";
    public override string ChangePasswordButton => "Passwort ändern";
    public override string CurrentPassword => "Jetziges Passwort";
    public override string NewPassword => "Neues Passwort";
    public override string PasswordWrongTitle => "Falsches Passwort";
    public override string PasswordWrong => "Dies ist nicht das Passwort Ihres Kontos. Auf Groß- und Kleinschreibung kommt es an.";
    public override string PasswordChanged => "Ihr Passwort ist geändert. Wer anderswo angemeldet war, ist abgemeldet.";
    public override string ChangeUsernameTitle => "Benutzernamen ändern";
    public override string ChangeUsernameButton => "Benutzernamen ändern";
    public override string UsernameChanged => "Ihr Benutzername ist geändert.";
    public override string OwnDataTitle => "Ihre Daten";
    public override string OwnDataText(bool isActive) => $"Sie können alles, was wir über Sie aufbewahren, bis auf Ihr Passwort, als Datei haben. {(isActive ? "Und Sie können gehen." : "Aktivieren Sie Ihr Konto nicht, so endet es von selbst, und seine Adresse ist frei.")}";
    public override string ExportLink => "Ihre Daten herunterladen";
    public override string DeleteAccountTitle => "Konto löschen";
    public override string DeleteAccountLead => "Danach kann sich niemand mehr bei ihm anmelden, auf keinem Gerät, und Links in unseren Mails gelten nicht mehr. Ihre E-Mail-Adresse ist dann frei, für Sie oder für andere. Das lässt sich nicht rückgängig machen.";
    public override string DeleteAccountButton => "Mein Konto löschen";
    public override string NotActiveYet => "Wird es nicht aktiviert, so endet es von selbst, und seine Adresse ist dann frei. Um es gleich zu löschen, öffnen Sie zuerst den Link in unserer Mail an seine Adresse.";
    public override string AccountDeleted => "Ihre E-Mail-Adresse ist wieder frei. Wollen Sie einmal zurückkommen, so registrieren Sie sich mit ihr wie beim ersten Mal.";
    public override string ForgetLabel => "Mich auch vergessen";
    public override string ForgetHint => "Was bisher geschehen ist, bleibt in unseren Aufzeichnungen. Hiermit kann niemand mehr lesen, wessen Konto es war, auch wir nicht: Der Schlüssel zu Ihrem Namen und Ihren Adressen wird vernichtet.";
    public override string AccountForgotten => "Ihre E-Mail-Adresse ist wieder frei, und niemand kann mehr lesen, wessen Konto es war. Eine letzte Mail bestätigt es Ihnen.";
    public override string ForgetUnclear => "Was der Parameter forget sagt, ist weder true noch false.";
    public override string BackToAccount => "Zurück zu Ihrem Konto";
    public override string ChangingTitle => "Ihre Änderung ist unterwegs";
    public override string Changing => "Es dauert etwas länger als sonst. Sie können diese Seite schließen: Es ist bei uns sicher, und mehr ist nicht zu tun.";
    public override string ChangeUnavailable => "Wir können das im Augenblick nicht ändern. Es wurde nichts geändert; bitte versuchen Sie es in einigen Sekunden noch einmal.";

    public override string ActivateTitle => "Konto aktivieren";
    public override string Activate => "Ein Schritt fehlt noch: Drücken Sie auf den Knopf, und Ihre Adresse ist bestätigt.";
    public override string ActivateButton => "Mein Konto aktivieren";
    public override string ActivatingTitle => "Ihr Konto wird aktiviert";
    public override string Activating => "Es dauert etwas länger als sonst. Sie können diese Seite schließen: Es ist bei uns sicher, und mehr ist nicht zu tun.";
    public override string ActivationUnavailable => "Wir können im Moment keine Konten aktivieren. Bitte drücken Sie in einigen Sekunden noch einmal auf den Knopf; Ihr Link bleibt gültig.";
    public override string LinkExpiredTitle => "Dieser Link ist abgelaufen";
    public override string LinkExpired => "Links gelten sieben Tage. Bitte registrieren Sie sich noch einmal: Wurde das Konto nie aktiviert, ist die Adresse wieder frei.";
    public override string LinkInvalidTitle => "Dieser Link ist nicht gültig";
    public override string LinkInvalid => "Vielleicht wurde er abgeschnitten. Bitte kopieren Sie den ganzen Link aus der Mail, vom Anfang bis zum Ende.";
    public override string LinkOutdatedTitle => "Dieser Link gilt nicht mehr";
    public override string LinkOutdated => "Die E-Mail-Adresse des Kontos wurde geändert, nachdem dieser Link verschickt war. Ist das Konto noch nicht aktiv, so benutzen Sie bitte den Link in der Mail an die neue Adresse.";

    public override string ValidationTitle => "Einige Angaben sind nicht gültig";
    public override string ValidationDetail => "Berichtigen Sie die Felder in „errors“ und senden Sie die Anfrage noch einmal.";
    public override string TakenTitle => "Schon vergeben";
    public override string KeyReusedTitle => "Idempotency-Key schon benutzt";
    public override string KeyReused => "Mit diesem Idempotency-Key wurde eine andere Registrierung gesendet. Senden Sie genau denselben Inhalt, um deren Antwort zu bekommen, oder nehmen Sie einen neuen.";
    public override string BadIdempotencyKey => "Senden Sie einen Idempotency-Key aus 1 bis 255 sichtbaren ASCII-Zeichen, oder keinen.";
    public override string TooManyTitle => "Zu viele Anfragen";
    public override string UnavailableTitle => "Gerade nicht verfügbar";
    public override string Of(BodyFault fault) => fault switch
    {
        BodyFault.TooLarge => $"Senden Sie höchstens {Body.Limit / 1024} KiB.",
        BodyFault.WrongType => "Senden Sie JSON in UTF-8 mit der Kopfzeile „Content-Type: application/json“.",
        BodyFault.Encoded => "Senden Sie den Inhalt, wie er ist, ohne Content-Encoding.",
        BodyFault.NotUtf8 => "Dieses Formular kam in einer anderen Kodierung als UTF-8. Bitte füllen Sie es noch einmal aus und senden Sie es; ein Programm muss es als UTF-8 kodieren.",
        BodyFault.NotAnObject => "Senden Sie ein JSON-Objekt.",
        _ => "Der Inhalt ist kein gültiges JSON in UTF-8. Prüfen Sie Anführungszeichen, Kommas und Klammern, und ob ein Name doppelt vorkommt.",
    };
    public override string NotFoundTitle => "Nicht gefunden";
    public override string NotFound => "Unter dieser Adresse gibt es nichts. Bitte prüfen Sie sie auf Tippfehler.";
    public override string MethodTitle => "Methode nicht erlaubt";
    public override string Method => "Diese Adresse nimmt solche Anfragen nicht an.";
    public override string TooLargeTitle => "Zu groß";
    public override string TooLarge => "Die Anfrage ist größer als alles, was hier von Nutzen ist.";
    public override string MediaTypeTitle => "Medientyp nicht unterstützt";
    public override string MediaType => "Senden Sie die Anfrage mit einem anderen Content-Type.";
    public override string BadRequestTitle => "Die Anfrage ist nicht gültig";
    public override string BadRequest => "Bitte prüfen Sie die Anfrage und senden Sie sie noch einmal.";
    public override string FaultTitle => "Etwas ist schiefgegangen";
    public override string Fault => "Der Fehler liegt bei uns und ist vermerkt. Bitte versuchen Sie es in einer Weile wieder.";
    public override string BackToStart => "Zum Registrierungsformular";

    public override string InboxTitle => "Entwickler-Postfach";
    public override string InboxLead => "Es ist kein Mailanbieter eingerichtet; Mails werden in Dateien geschrieben. Hier sind sie, die neueste zuerst.";
    public override string InboxEmpty => "Es gibt noch keine Mails. Registrieren Sie sich und laden Sie diese Seite neu.";
    public override string InboxBack => "Alle Mails";
    public override string InboxLink => "Entwicklung: Postfach öffnen";
    public override string To => "An";
    public override string Date => "Datum";
    public override string Subject => "Betreff";

    private static string Seconds(long seconds) => seconds switch
    {
        1 => "einer Sekunde",
        < 120 => $"{seconds} Sekunden",
        < 7200 => $"{(seconds + 59) / 60} Minuten",
        _ => $"{(seconds + 3599) / 3600} Stunden",
    };
}
